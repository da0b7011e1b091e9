"""The walls of the sandbox: what can be seen behind them, and the commands that build them."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from autograder.exercises.loading import exercises_root

_ROOM: Final = "/room"


def python() -> str:
    """The interpreter itself; that of a virtual environment is a link to it."""
    return os.path.realpath(sys.executable)


def binds() -> Iterator[tuple[str, str, str]]:
    """What can be seen in there, twice: (``bind``, ``link`` or ``empty``, source, target)."""
    course = exercises_root().resolve().parent
    for inside in ("", _ROOM):
        seen: list[str] = []
        for name in ("/usr", "/lib", "/lib32", "/lib64", *_of_python()):
            path = Path(name)
            if any(path.is_relative_to(other) for other in seen) or not path.exists():
                continue
            if path.is_symlink():
                yield "link", str(path.readlink()), f"{inside}{name}"
                continue
            seen.append(name)
            yield "bind", name, f"{inside}{name}"
            if course.is_relative_to(path):
                yield "empty", "", f"{inside}{course}"
        yield "bind", "/dev/null", f"{inside}/dev/null"
        yield "bind", "/dev/urandom", f"{inside}/dev/urandom"


def base() -> str:
    """A folder that can be covered with a room of its own, since nothing that is needed lies in it."""
    needed = [Path(source) for _, source, _ in binds()]
    places = (Path(place) for place in ("/mnt", "/media", "/srv", "/tmp", "/run", "/var"))
    free = [place for place in places if place.is_dir() and not any(path.is_relative_to(place) for path in needed)]
    return str(free[0]) if free else "/tmp"


def _of_python() -> list[str]:
    """Where the interpreter, its library and its shared library lie."""
    prefixes = {"platbase": sys.base_exec_prefix, "base": sys.base_prefix}
    library = [sysconfig.get_path(name, vars=prefixes) for name in ("stdlib", "platstdlib")]
    folders = [str(Path(python()).parent), *library]
    shared = sysconfig.get_config_var("LIBDIR")
    return [*folders, shared] if isinstance(shared, str) else folders


def _bwrap() -> list[str]:
    arguments = ["bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"]
    arguments += ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    rights = ["CAP_SYS_CHROOT", "CAP_SETPCAP"]
    if os.geteuid() == 0:
        rights += ["CAP_SETUID", "CAP_SETGID"]
    else:
        arguments.append("--unshare-user")
    for right in rights:
        arguments += ["--cap-add", right]
    for kind, source, target in binds():
        arguments += ["--dir", str(Path(target).parent)]  # otherwise it makes folders for its owner alone
        match kind:
            case "link":
                arguments += ["--symlink", source, target]
            case "empty":
                arguments += ["--tmpfs", target, "--remount-ro", target]
            case _:
                arguments += ["--dev-bind" if source.startswith("/dev/") else "--ro-bind", source, target]
    return [*arguments, "--remount-ro", "/", "--chdir", "/", "--"]


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child=KILL", "--"]


#: Kinds of walls, the best first, and how the command begins that builds them.
COMMANDS: Final[dict[str, Callable[[], list[str]]]] = {"bwrap": _bwrap, "unshare": _unshare}
#: Processes of the same user that keep the walls up, where the grader is not root.
KEEPERS: Final = {"bwrap": 1, "unshare": 2}
