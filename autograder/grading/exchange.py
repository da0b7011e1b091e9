"""``nbgrader collect`` from a folder in which students write with accounts of their own.

nbgrader's own takes a submission in somebody else's name (it remarks upon it), follows links with the rights of the
instructor, who may read the solutions, and gives up for the whole class at the first name, pipe or file that it cannot
read.  This one takes a submission only from the account that it is named after, copies that account's plain files and
nothing else, and passes over what it cannot take, saying so.  A course names it as ``c.ExchangeFactory.collect``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect

#: What nbgrader writes beside a submission, and reads again when it releases feedback.
TIMESTAMP: Final = "timestamp.txt"
SECRET: Final = "submission_secret.txt"
#: Files and folders of one submission that are looked at, and how many folders may lie one inside the other.
FILES: Final = 1_000
DEPTH: Final = 8
#: Seconds that may pass between the time in a submission's name and the last change to its folder.
_SLACK: Final = 600


class CarefulCollect(ExchangeCollect):  # type: ignore[misc]  # nbgrader has no types
    """Collects what students handed in themselves."""

    src_records: list[dict[str, Any]]

    def init_src(self) -> None:
        """Find the submission of each student."""
        super().init_src()
        self.src_records = [record for record in self.src_records if record["username"]]

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy the student's own plain files, as far as the course's limits go."""
        Path(dest).mkdir(parents=True)
        rest = 1000 * self.coursedir.max_dir_size
        for name, content in _files_of(src, 1000 * self.coursedir.max_file_size):
            if isinstance(content, bytes) and len(content) > rest:
                content = "the submission is too large"
            if isinstance(content, str):
                self.log.warning("%s of %s is left out: %s", ascii(name), src, content)
            elif not self._is_ignored(name):
                rest -= len(content)
                target = Path(dest, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        Path(dest, TIMESTAMP).write_text(_said_time(src), encoding="utf-8")
        if not Path(dest, SECRET).is_file():
            # With a secret that nobody knows nobody fetches this feedback; without one nobody's would be released.
            Path(dest, SECRET).write_text(os.urandom(32).hex(), encoding="utf-8")

    def _path_to_record(self, path: str) -> dict[str, Any]:
        import pwd  # which Windows does not have, nor does nbgrader an exchange there

        try:
            record: dict[str, Any] = super()._path_to_record(path)
            found = os.lstat(path)
            owner = pwd.getpwuid(found.st_uid).pw_name
        except (ExchangeError, ValueError, OverflowError, KeyError, IndexError, OSError) as error:
            return self._none(path, f"it is not what `nbgrader submit` makes ({error})")
        if not stat.S_ISDIR(found.st_mode):
            return self._none(path, "it is no folder")
        if owner != record["username"]:
            return self._none(path, f"it belongs to the account {owner}")
        changed = datetime.fromtimestamp(found.st_ctime, UTC).replace(tzinfo=None)
        if (changed - record["timestamp"]).total_seconds() > _SLACK:
            self.log.warning("%s was still changed at %s UTC", path, f"{changed:%Y-%m-%d %H:%M:%S}")
        return record

    def _none(self, path: str, why: str) -> dict[str, Any]:
        self.log.warning("%s is not collected: %s", ascii(path), why)
        return {"username": "", "filename": "", "timestamp": datetime.min}

    def _is_ignored(self, name: str) -> bool:
        ignored = any(fnmatch(part, glob) for part in Path(name).parts for glob in self.coursedir.ignore)
        included = self.coursedir.include
        return ignored or (bool(included) and not any(fnmatch(Path(name).name, glob) for glob in included))


def _said_time(folder: str) -> str:
    """The time in the name of a submission, which was read before; the file that repeats it may hold anything."""
    return Path(folder).name.rsplit("+", 3)[2]


def _files_of(folder: str, largest: int) -> Iterator[tuple[str, bytes | str]]:
    """The files below a folder with their content, or with why they are not read.

    Only plain files of the folder's owner are opened, and no link is followed even if the folder changes meanwhile.
    What lies too deep may have a path that is longer than the system takes.
    """
    seen, owner = 0, None
    for place, folders, files, at in os.fwalk(folder, follow_symlinks=False):
        inside = Path(place).relative_to(folder)
        owner = os.fstat(at).st_uid if owner is None else owner
        for name in sorted(files):
            seen += 1
            if seen > FILES:
                break
            yield str(inside / name), _content(name, at, owner, largest)
        seen += len(folders)
        if seen > FILES:
            yield "the rest", f"there are more than {FILES} files and folders"
            return
        if folders and len(inside.parts) >= DEPTH:
            yield str(inside), f"there are more than {DEPTH} folders one inside the other"
            folders.clear()
        folders.sort()


def _content(name: str, at: int, owner: int, largest: int) -> bytes | str:
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    except OSError as error:
        return f"it is a link, or cannot be read ({error.strerror})"
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            return "it is no plain file"
        if found.st_uid != owner:
            return "it is somebody else's"
        content = opened.read(largest + 1)
    return content if len(content) <= largest else "it is too large"
