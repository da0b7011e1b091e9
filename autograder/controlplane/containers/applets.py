"""The commands of simulated containers: what BusyBox's applets do with files, text and time, as far as lessons need it.

Each takes a ``Call`` and gives an exit status or what the process does next.  ``APPLETS`` is the table of all.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Applet, Call, Exec, Interact, Outcome, Sleep
from autograder.controlplane.containers.files import FileError
from autograder.controlplane.containers.programs import PROGRAMS
from autograder.controlplane.containers.text_applets import TEXT_APPLETS, options_of, read, unescape

FOREVER: Final = 10**10 * SECOND

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _echo(call: Call) -> Outcome:
    args = list(call.args)
    newline, escapes = True, False
    while args and re.fullmatch("-[neE]+", args[0]):
        flags = args.pop(0)
        newline = newline and "n" not in flags
        escapes = escapes or "e" in flags
    text = " ".join(args)
    call.out((unescape(text) if escapes else text) + ("\n" if newline else ""))
    return 0


def _printf(call: Call) -> Outcome:
    if not call.args:
        return call.fail("missing operand")
    form, values = unescape(call.args[0]), list(call.args[1:])
    while True:

        def fill(match: re.Match[str]) -> str:
            if match[0] == "%%":
                return "%"
            value = values.pop(0) if values else ""
            if match[2] in "di":
                number = int(value) if value.lstrip("-").isdigit() else 0
                return f"%{match[1]}d" % number
            return f"%{match[1]}s" % (unescape(value) if match[2] == "b" else value)

        before = len(values)
        call.out(re.sub(r"%%|%(-?0?\d{0,3})([sdib])", lambda match: fill(match), form))
        if not values or len(values) == before:
            return 0


def _sleep(call: Call) -> Outcome:
    if not call.args:
        return call.fail("missing operand")
    total = 0.0
    for arg in call.args:
        if arg in ("infinity", "inf"):
            return Sleep(FOREVER, forever=True)
        match = _DURATION.fullmatch(arg)
        if match is None:
            return call.fail(f"invalid number '{arg}'")
        total += float(match[1]) * _UNITS[match[2]]
    return Sleep(min(int(total * SECOND), FOREVER), forever=total >= 86400 * 30)


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


def _test(call: Call) -> Outcome:
    words = list(call.args)
    if call.argv[0].endswith("["):
        if not words or words.pop() != "]":
            return call.fail("missing ]", 2)
    try:
        return 0 if _condition(call, words) else 1
    except ValueError as error:
        return call.fail(str(error), 2)


def _condition(call: Call, words: list[str]) -> bool:
    for operator, combine in (("-o", any), ("-a", all)):
        if operator in words[1:-1] and len(words) > 3:
            at = words.index(operator, 1)
            return combine((_condition(call, words[:at]), _condition(call, words[at + 1 :])))
    if not words:
        return False
    if words[0] == "!" and len(words) > 1:
        return not _condition(call, words[1:])
    if len(words) == 1:
        return bool(words[0])
    if len(words) == 2:
        unary = _UNARY.get(words[0])
        if unary is None:
            raise ValueError(f"{words[0]}: unknown operand")
        return unary(call, words[1])
    if len(words) == 3:
        left, operator, right = words
        if operator in _TEXT:
            return _TEXT[operator](left, right)
        if operator in _NUMBERS:
            for number in (left, right):
                if not re.fullmatch(r"\s*-?\d+\s*", number):
                    raise ValueError(f"invalid number '{number}'")
            return _NUMBERS[operator](int(left), int(right))
        raise ValueError(f"{operator}: unknown operand")
    raise ValueError("too many arguments")


_UNARY: Final[dict[str, Callable[[Call, str], bool]]] = {
    "-z": lambda call, text: not text,
    "-n": lambda call, text: bool(text),
    "-e": lambda call, text: call.system.files.exists(call.path(text)),
    "-f": lambda call, text: call.system.files.is_file(call.path(text)),
    "-d": lambda call, text: call.system.files.is_directory(call.path(text)),
    "-r": lambda call, text: call.system.files.exists(call.path(text)),
    "-x": lambda call, text: call.system.files.exists(call.path(text)),
    "-w": lambda call, text: call.system.files.is_writable(call.path(text)),
    "-s": lambda call, text: call.system.files.is_file(call.path(text)) and bool(read(call, text)),
}
_TEXT: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": lambda a, b: a == b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip
_NUMBERS: Final[dict[str, Callable[[int, int], bool]]] = {
    "-eq": lambda a, b: a == b, "-ne": lambda a, b: a != b, "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b, "-gt": lambda a, b: a > b, "-ge": lambda a, b: a >= b,
}  # fmt: skip


def _env(call: Call) -> Outcome:
    args = list(call.args)
    variables = []
    while args and "=" in args[0] and not args[0].startswith("-"):
        name, _, value = args.pop(0).partition("=")
        variables.append((name, value))
    if args:
        return Exec(tuple(args), tuple(variables))
    for name, value in {**call.shell.variables, **dict(variables)}.items():
        if name != "!":
            call.out(f"{name}={value}\n")
    return 0


def _printenv(call: Call) -> Outcome:
    if not call.args:
        return _env(call)
    status = 0
    for name in call.args:
        if name in call.shell.variables:
            call.out(call.shell.variables[name] + "\n")
        else:
            status = 1
    return status


def _date(call: Call) -> Outcome:
    now = datetime.fromtimestamp(call.system.now / SECOND, UTC)
    form = next((arg[1:] for arg in call.args if arg.startswith("+")), None)
    if form is None:
        form = "%a %b %e %H:%M:%S UTC %Y"
    known = {
        "s": str(call.system.now // SECOND),
        "N": f"{call.system.now % SECOND:06d}000",
        "n": "\n",
        "T": f"{now:%H:%M:%S}",
        "F": f"{now:%Y-%m-%d}",
        "e": f"{now.day:2d}",
        "D": f"{now:%m/%d/%y}",
        "Z": "UTC",
        "R": f"{now:%H:%M}",
    }

    def field(match: re.Match[str]) -> str:
        letter = match[1]
        return known.get(letter) or (now.strftime("%" + letter) if letter in "aAbBcdHIjmMpSuwyY%" else match[0])

    call.out(re.sub(r"%(.)", field, form) + "\n")
    return 0


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


def _shell(call: Call) -> Outcome:
    args = list(call.args)
    flags = ""
    while args and args[0].startswith("-") and len(args[0]) > 1:
        flags += args.pop(0)[1:]
    if "c" in flags:
        if not args:
            return call.fail("-c requires an argument", 2)
        return Exec(tuple(args[2:]), script=args[0])
    if args:
        try:
            return Exec(tuple(args[1:]), script=read(call, args[0]))
        except FileError:
            return call.fail(f"can't open '{args[0]}': No such file or directory", 2)
    if call.stdin:
        return Exec((), script=call.stdin)
    return Interact() if call.shell.listens else 0


def _xargs(call: Call) -> Outcome:
    args = list(call.args)
    while args and args[0].startswith("-"):
        flag = args.pop(0)
        if flag in ("-n", "-I", "-P") and args:
            args.pop(0)
    return Exec((*(args or ["echo"]), *call.stdin.split()))


def _timeout(call: Call) -> Outcome:
    args = list(call.args)
    while args and args[0].startswith("-"):
        flag = args.pop(0)
        if flag in ("-s", "-t", "-k") and args and flag != "-t":
            args.pop(0)
    return Exec(tuple(args[1:])) if len(args) > 1 else call.fail("missing operand")


def _kill(call: Call) -> Outcome:
    args = list(call.args)
    signal = "TERM"
    numbers = {"9": "KILL", "15": "TERM", "2": "INT", "1": "HUP", "3": "QUIT", "0": "0"}
    if args and args[0].startswith("-"):
        flag = args.pop(0)[1:]
        signal = args.pop(0) if flag == "s" and args else flag
        signal = numbers.get(signal, signal.upper().removeprefix("SIG"))
    status = 0
    for arg in args:
        if not arg.isdigit() or not call.system.signal(int(arg), signal):
            call.err(f"sh: can't kill pid {arg}: No such process\n")
            status = 1
    return status


def _ps(call: Call) -> Outcome:
    call.out("PID   USER     TIME  COMMAND\n")
    user = "root" if call.system.container.user == 0 else str(call.system.container.user)
    visible = call.system.visible()
    for process in visible:
        call.out(f"{process.pid:5d} {user:8s}  0:00 {' '.join(process.argv)}\n")
    shift = visible[-1].pid - own[-1].pid if (own := call.system.processes()) else 0
    call.out(f"{call.system.container.next_pid + shift:5d} {user:8s}  0:00 {' '.join(call.argv)}\n")
    return 0


def _id(call: Call) -> Outcome:
    user = call.system.container.user
    if call.args[:1] == ("-u",):
        call.out(f"{user}\n")
    else:
        call.out("uid=0(root) gid=0(root) groups=0(root)\n" if user == 0 else f"uid={user} gid={user}\n")
    return 0


def _which(call: Call) -> Outcome:
    found = [name for name in call.args if name in call.system.container.image.tools]
    call.out("".join(f"/bin/{name}\n" for name in found))
    return 0 if len(found) == len(call.args) else 1


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


def _prints(text: Callable[[Call], str]) -> Applet:
    """A command that only prints something."""

    def applet(call: Call) -> Outcome:
        call.out(text(call) + "\n")
        return 0

    return applet


def _busybox(call: Call) -> Outcome:
    return Exec(call.args) if call.args else call.fail("applet name expected")


def _yes(call: Call) -> Outcome:
    call.out((" ".join(call.args) or "y") + "\n")
    return Sleep(SECOND, again=call.argv, forever=True)


def _succeeds(call: Call) -> Outcome:
    return 0


APPLETS: Final[dict[str, Applet]] = (
    PROGRAMS
    | TEXT_APPLETS
    | {
        "[": _test,
        "basename": _prints(lambda call: call.args[0].rstrip("/").rpartition("/")[2] if call.args else ""),
        "bash": _shell,
        "busybox": _busybox,
        "cat": _cat,
        "chmod": _succeeds,
        "chown": _succeeds,
        "cp": _copy,
        "date": _date,
        "dirname": _prints(lambda call: (call.args[0].rpartition("/")[0] or ".") if call.args else "."),
        "echo": _echo,
        "env": _env,
        "false": lambda call: 1,
        "find": _find,
        "hostname": _prints(lambda call: call.system.container.hostname),
        "id": _id,
        "kill": _kill,
        "ls": _ls,
        "md5sum": _digest("md5"),
        "mkdir": _mkdir,
        "mv": _copy,
        "nohup": lambda call: Exec(call.args),
        "printenv": _printenv,
        "printf": _printf,
        "ps": _ps,
        "pwd": _prints(lambda call: call.shell.cwd),
        "rm": _rm,
        "sh": _shell,
        "sha256sum": _digest("sha256"),
        "sleep": _sleep,
        "test": _test,
        "timeout": _timeout,
        "touch": _touch,
        "true": _succeeds,
        "uname": _prints(lambda call: _uname(call)),
        "which": _which,
        "xargs": _xargs,
        "yes": _yes,
    }
)


def _uname(call: Call) -> str:
    if "-a" in call.args:
        return f"Linux {call.system.container.hostname} 6.12.0 #1 SMP x86_64 GNU/Linux"
    return {"-r": "6.12.0", "-n": call.system.container.hostname, "-m": "x86_64"}.get("".join(call.args[:1]), "Linux")
