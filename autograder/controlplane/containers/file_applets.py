"""The commands that look at files, make, move and remove them: ``cat``, ``ls``, ``cp``, ``find`` and the like."""

from __future__ import annotations

import fnmatch
import hashlib
from datetime import UTC, datetime
from typing import Final

from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Applet, Call, Interact, Outcome
from autograder.controlplane.containers.files import FileError
from autograder.controlplane.containers.text_applets import options_of, read


def _cat(call: Call) -> Outcome:
    if not call.args and not call.stdin and call.shell.listens:
        return Interact(call.argv)
    status = 0
    for name in [arg for arg in call.args if arg == "-" or not arg.startswith("-")] or ["-"]:
        try:
            call.out(call.stdin if name == "-" else read(call, name))
        except FileError as error:
            status = call.fail(f"can't open '{name}': {error}")
    return status


def _ls(call: Call) -> Outcome:
    options, names = options_of(call)
    files = call.system.files
    status = 0
    for name in names or ["."]:
        path = call.path(name)
        try:
            entries = [name] if files.is_file(path) else files.listing(path)
        except FileError as error:
            status = call.fail(f"{name}: {error}")
            continue
        if len(names) > 1 and files.is_directory(path):
            call.out(f"{name}:\n")
        for entry in entries:
            if entry.startswith(".") and not {"a", "A"} & options.keys():
                continue
            call.out((_long(call, path, entry) if "l" in options else entry) + "\n")
    return status


def _long(call: Call, folder: str, entry: str) -> str:
    files = call.system.files
    path = folder if files.is_file(folder) else f"{folder.rstrip('/')}/{entry}"
    directory = files.is_directory(path)
    size = 4096 if directory else len(files.read(path))
    when = f"{datetime.fromtimestamp(call.system.container.created / SECOND, UTC):%b %e %H:%M}"
    return f"{'drwxr-xr-x' if directory else '-rw-r--r--'}    1 root     root     {size:9d} {when} {entry}"


def _touch(call: Call) -> Outcome:
    for name in options_of(call)[1]:
        try:
            call.system.files.write(call.path(name), "", append=True)
        except FileError as error:
            why = "No such file or directory" if "nonexistent" in str(error) else str(error)
            return call.fail(f"{name}: {why}")
    return 0


def _rm(call: Call) -> Outcome:
    options, names = options_of(call)
    status = 0
    for name in names:
        try:
            call.system.files.remove(call.path(name), recursive=bool({"r", "R"} & options.keys()))
        except FileError as error:
            if "f" not in options or "No such" not in str(error):
                status = call.fail(f"can't remove '{name}': {error}")
    return status


def _mkdir(call: Call) -> Outcome:
    options, names = options_of(call, "m")
    for name in names:
        try:
            call.system.files.make_directory(call.path(name), parents="p" in options)
        except FileError as error:
            return call.fail(f"can't create directory '{name}': {error}")
    return 0


def _copy(call: Call) -> Outcome:
    options, names = options_of(call)
    if len(names) < 2:
        return call.fail("missing file operand")
    files = call.system.files
    *sources, target = names
    for name in sources:
        source, goal = call.path(name), call.path(target)
        if files.is_directory(goal):
            goal = f"{goal.rstrip('/')}/{source.rpartition('/')[2]}"
        if files.is_directory(source):
            if not {"r", "R", "a"} & options.keys() and call.argv[0] != "mv":
                return call.fail(f"omitting directory '{name}'")
            files.make_directory(goal, parents=True)
            for inner in files.files_below(source):
                files.make_directory((goal + inner[len(source) :]).rpartition("/")[0], parents=True)
                files.write(goal + inner[len(source) :], files.read(inner))
        elif files.is_file(source):
            files.write(goal, files.read(source))
        else:
            return call.fail(f"can't stat '{name}': No such file or directory")
        if call.argv[0] == "mv":
            files.remove(source, recursive=True)
    return 0


def _find(call: Call) -> Outcome:
    names = [arg for arg in call.args if not arg.startswith("-")]
    pattern = call.args[call.args.index("-name") + 1] if "-name" in call.args[:-1] else "*"
    for path in call.system.files.files_below(call.path(names[0] if names else ".")):
        if fnmatch.fnmatchcase(path.rpartition("/")[2], pattern):
            call.out(path + "\n")
    return 0


def _digest(algorithm: str) -> Applet:
    def applet(call: Call) -> Outcome:
        names = options_of(call)[1]
        for name in names or ["-"]:
            text = call.stdin if name == "-" else read(call, name)
            call.out(f"{hashlib.new(algorithm, text.encode()).hexdigest()}  {name}\n")
        return 0

    return applet


def _succeeds(call: Call) -> Outcome:
    """Files have no owners and modes here."""
    return 0


FILE_APPLETS: Final[dict[str, Applet]] = {
    "cat": _cat,
    "chmod": _succeeds,
    "chown": _succeeds,
    "cp": _copy,
    "find": _find,
    "ls": _ls,
    "md5sum": _digest("md5"),
    "mkdir": _mkdir,
    "mv": _copy,
    "rm": _rm,
    "sha256sum": _digest("sha256"),
    "touch": _touch,
}
