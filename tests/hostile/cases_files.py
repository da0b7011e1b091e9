"""What may lie where a notebook or a folder should."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from case import Case, holding
from hostile_course import notebook
from small_course import ASSIGNMENT, NOTEBOOK

from autograder.checks import Status

FILE = f"{NOTEBOOK}.ipynb"


def _link(target: str) -> Callable[[Path], None]:
    """A link in the place of the notebook."""
    return lambda folder: (folder / FILE).symlink_to(target)


def _folder_link(target: str) -> Callable[[Path], None]:
    """A link in the place of the folder."""

    def write(folder: Path) -> None:
        folder.rmdir()
        folder.symlink_to(target)

    return write


def _socket(folder: Path) -> None:
    here = Path.cwd()
    os.chdir(folder)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(FILE)
    finally:
        os.chdir(here)


def _file_for_folder(folder: Path) -> None:
    folder.rmdir()
    folder.write_bytes(b"{}")


def _fifo_for_folder(folder: Path) -> None:
    folder.rmdir()
    os.mkfifo(folder)


def _unreadable(folder: Path) -> None:
    holding(notebook())(folder)
    (folder / FILE).chmod(0)


CANARY = "../../../../outside/canary.ipynb"
ADA = f"../../ada/{ASSIGNMENT}/{FILE}"
NO_FILE, NO_FOLDER = "not a plain file", "not a plain folder"

FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "file-folder": (lambda folder: (folder / FILE).mkdir(), NO_FILE),
    "file-link-to-neighbour": (_link(ADA), NO_FILE),
    "file-link-to-canary": (_link(CANARY), NO_FILE),
    "file-link-to-gradebook": (_link("../../../gradebook.db"), NO_FILE),
    "file-link-to-source": (_link(f"../../../source/{ASSIGNMENT}/{FILE}"), NO_FILE),
    "file-link-to-passwd": (_link("/etc/passwd"), NO_FILE),
    "file-link-to-zero": (_link("/dev/zero"), NO_FILE),
    "file-link-to-itself": (_link(FILE), NO_FILE),
    "file-link-to-nothing": (_link("nothing"), NO_FILE),
    "file-link-to-stdin": (_link("/dev/stdin"), NO_FILE),
    "file-pipe": (lambda folder: os.mkfifo(folder / FILE), NO_FILE),
    "file-socket": (_socket, NO_FILE),
    "folder-link-to-neighbour": (_folder_link(f"../ada/{ASSIGNMENT}"), NO_FOLDER),
    "folder-link-to-source": (_folder_link(f"../../source/{ASSIGNMENT}"), NO_FOLDER),
    "folder-link-up": (_folder_link(".."), NO_FOLDER),
    "folder-link-to-itself": (_folder_link(ASSIGNMENT), NO_FOLDER),
    "folder-link-to-root": (_folder_link("/"), NO_FOLDER),
    "folder-file": (_file_for_folder, NO_FOLDER),
    "folder-pipe": (_fifo_for_folder, NO_FOLDER),
}


def cases() -> Iterator[Case]:
    """The cases of this file."""
    for name, (hand_in, said) in FILES.items():
        yield Case(name, hand_in, Status.UNREADABLE, said)
    yield Case("folder-empty", lambda folder: None, Status.NOT_SUBMITTED, "was not handed in")
    other = holding(notebook())
    yield Case(
        "file-other-name",
        lambda folder: (other(folder), (folder / FILE).rename(folder / FILE.upper()))[1] and None,
        Status.NOT_SUBMITTED,
        "was not handed in",
    )
    if os.getuid() != 0:
        yield Case("file-locked", _unreadable, Status.UNREADABLE, "cannot be opened")


#: Names of folders in ``submitted``: those that may be a student's, and what is said of the others.
STUDENTS = tuple("CON nul.txt \u00e9 e\u0301 ADA -rf a;b $(x) [abc] * a'b\"c %s {x} <b> =1+1".split())
STRAYS = ("a\nb", "a\x1b[2Jb", "\u202eada", "x" * 200, "a\u200bb", os.fsdecode(b"\xff\xfe"))
