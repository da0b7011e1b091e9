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
from autograder.controlplane.containers.files import FileError
from autograder.controlplane.containers.programs import PROGRAMS
from autograder.controlplane.containers.shell import Applet, Call, Exec, Outcome, Serve, Sleep

MAX_LINES: Final = 10_000
FOREVER: Final = 10**10 * SECOND

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"'}


def _echo(call: Call) -> Outcome:
    args = list(call.args)
    newline, escapes = True, False
    while args and re.fullmatch("-[neE]+", args[0]):
        flags = args.pop(0)
        newline = newline and "n" not in flags
        escapes = escapes or "e" in flags
    text = " ".join(args)
    call.out((_unescape(text) if escapes else text) + ("\n" if newline else ""))
    return 0


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text)


def _printf(call: Call) -> Outcome:
    if not call.args:
        return call.fail("missing operand")
    form, values = _unescape(call.args[0]), list(call.args[1:])
    while True:

        def fill(match: re.Match[str]) -> str:
            if match[0] == "%%":
                return "%"
            value = values.pop(0) if values else ""
            if match[2] in "di":
                number = int(value) if value.lstrip("-").isdigit() else 0
                return f"%{match[1]}d" % number
            return f"%{match[1]}s" % (_unescape(value) if match[2] == "b" else value)

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
    status = 0
    for name in [arg for arg in call.args if arg == "-" or not arg.startswith("-")] or ["-"]:
        try:
            call.out(call.stdin if name == "-" else _read(call, name))
        except FileError as error:
            status = call.fail(f"can't open '{name}': {error}")
    return status


def _read(call: Call, name: str) -> str:
    return call.system.files.read(call.path(name))


def _inputs(call: Call, names: list[str]) -> str:
    return "".join(_read(call, name) for name in names) if names else call.stdin


def _split(call: Call, valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Options and operands; ``valued`` are the options that take a value."""
    options: dict[str, str] = {}
    rest: list[str] = []
    args = list(call.args)
    while args:
        arg = args.pop(0)
        if arg == "--":
            rest += args
            break
        if not arg.startswith("-") or arg == "-":
            rest.append(arg)
        elif arg.startswith("--"):
            name, _, value = arg[2:].partition("=")
            options[name] = value
        else:
            for index, flag in enumerate(arg[1:], 2):
                if flag in valued:
                    options[flag] = arg[index:] or (args.pop(0) if args else "")
                    break
                options[flag] = ""
    return options, rest


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
    "-s": lambda call, text: call.system.files.is_file(call.path(text)) and bool(_read(call, text)),
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
    known = {"s": str(call.system.now // SECOND), "N": f"{call.system.now % SECOND:06d}000", "n": "\n", "T": f"{now:%H:%M:%S}",
             "F": f"{now:%Y-%m-%d}", "e": f"{now.day:2d}", "D": f"{now:%m/%d/%y}", "Z": "UTC", "R": f"{now:%H:%M}"}  # fmt: skip

    def field(match: re.Match[str]) -> str:
        letter = match[1]
        return known.get(letter) or (now.strftime("%" + letter) if letter in "aAbBcdHIjmMpSuwyY%" else match[0])

    call.out(re.sub(r"%(.)", field, form) + "\n")
    return 0


def _ls(call: Call) -> Outcome:
    options, names = _split(call)
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
    for name in _split(call)[1]:
        try:
            call.system.files.write(call.path(name), "", append=True)
        except FileError as error:
            why = "No such file or directory" if "nonexistent" in str(error) else str(error)
            return call.fail(f"{name}: {why}")
    return 0


def _rm(call: Call) -> Outcome:
    options, names = _split(call)
    status = 0
    for name in names:
        try:
            call.system.files.remove(call.path(name), recursive=bool({"r", "R"} & options.keys()))
        except FileError as error:
            if "f" not in options or "No such" not in str(error):
                status = call.fail(f"can't remove '{name}': {error}")
    return status


def _mkdir(call: Call) -> Outcome:
    options, names = _split(call, "m")
    for name in names:
        try:
            call.system.files.make_directory(call.path(name), parents="p" in options)
        except FileError as error:
            return call.fail(f"can't create directory '{name}': {error}")
    return 0


def _copy(call: Call) -> Outcome:
    options, names = _split(call)
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


def _tee(call: Call) -> Outcome:
    options, names = _split(call)
    for name in names:
        call.system.files.write(call.path(name), call.stdin, append="a" in options)
    call.out(call.stdin)
    return 0


def _head(call: Call) -> Outcome:
    options, names = _split(call, "nc")
    text = _inputs(call, names)
    digits = next((name for name in options if name.isdigit()), "")
    if "c" in options:
        call.out(text[: _count(options["c"], len(text))])
    else:
        call.out("".join(text.splitlines(keepends=True)[: _count(options.get("n", digits), 10)]))
    return 0


def _count(text: str, otherwise: int) -> int:
    return int(text) if text.lstrip("+-").isdigit() else otherwise


def _tail(call: Call) -> Outcome:
    options, names = _split(call, "ncs")
    if {"f", "F"} & options.keys():
        if call.path(names[0] if names else "/dev/null") == "/dev/null":
            return Serve()
        return _follow(call, names[0], options)
    lines = _inputs(call, names).splitlines(keepends=True)
    wanted = options.get("n", "10")
    first = max(_count(wanted, 1) - 1, 0) if wanted.startswith("+") else max(len(lines) - abs(_count(wanted, 10)), 0)
    call.out("".join(lines[first:]))
    return 0


def _follow(call: Call, name: str, options: dict[str, str]) -> Outcome:
    """Print what a file gains, looking once a second; how much has been printed is kept in the words to run next."""
    files = call.system.files
    text = files.read(call.path(name)) if files.is_file(call.path(name)) else ""
    if not text and "F" not in options and not files.is_file(call.path(name)):
        return call.fail(f"can't open '{name}': No such file or directory")
    if "seen" in options:
        seen = int(options["seen"]) if int(options["seen"]) <= len(text) else 0
    else:
        lines = text.splitlines(keepends=True)
        wanted = options.get("n", "10")
        keep = lines[max(_count(wanted, 1) - 1, 0) :] if wanted.startswith("+") else lines[-abs(_count(wanted, 10)) :]
        seen = len(text) - sum(map(len, keep))
    call.out(text[seen:])
    return Sleep(SECOND, again=(call.argv[0], "-F", f"--seen={len(text)}", name), forever=True)


def _grep(call: Call) -> Outcome:
    options, rest = _split(call, "e")
    pattern = options["e"] if "e" in options else rest.pop(0) if rest else ""
    test = _matcher(pattern, options)
    if test is None:
        return call.fail("bad regex", 2)
    lines = [line for line in _inputs(call, rest).splitlines() if test(line) != ("v" in options)]
    if "q" not in options:
        call.out(f"{len(lines)}\n" if "c" in options else "".join(line + "\n" for line in lines))
    return 0 if lines else 1


def _matcher(pattern: str, options: dict[str, str]) -> Callable[[str], bool] | None:
    """Whether a line matches: plain text always, a pattern only of a simple kind (no nested repetition)."""
    ignore = "i" in options
    plain = pattern.lower() if ignore else pattern
    if "F" in options or not re.search(r"[\\.\[\]*^$+?(){}|]", pattern):
        return lambda line: plain in (line.lower() if ignore else line)
    if re.search(r"[+*}]\)?[+*{]|\([^)]*[+*][^)]*\)[+*{]", pattern) or len(pattern) > 200:
        return None
    try:
        compiled = re.compile(pattern, re.IGNORECASE if ignore else 0)
    except re.error:
        return None
    return lambda line: compiled.search(line[:2000]) is not None


def _seq(call: Call) -> Outcome:
    numbers = [int(arg) for arg in call.args if arg.lstrip("-").isdigit()]
    if not numbers or len(numbers) != len(call.args) or len(numbers) > 3:
        return call.fail("invalid number")
    first, step, last = (1, 1, *numbers) if len(numbers) == 1 else (numbers[0], 1, numbers[1]) if len(
        numbers) == 2 else numbers  # fmt: skip
    values = range(first, last + (1 if step > 0 else -1), step or 1)[:MAX_LINES]
    call.out("".join(f"{value}\n" for value in values))
    return 0


def _wc(call: Call) -> Outcome:
    options, names = _split(call)
    text = _inputs(call, names)
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode())}
    shown = [str(counts[flag]) for flag in "lwc" if flag in options or not options]
    call.out(" ".join([*shown, *names]) + "\n")
    return 0


def _sort(call: Call) -> Outcome:
    options, names = _split(call, "k")
    lines = _inputs(call, names).splitlines()
    key = (lambda line: int(re.match(r"\s*-?\d*", line)[0] or 0)) if "n" in options else str  # type: ignore[index]
    lines = sorted(set(lines) if "u" in options else lines, key=key, reverse="r" in options)
    call.out("".join(line + "\n" for line in lines))
    return 0


def _uniq(call: Call) -> Outcome:
    options, names = _split(call)
    groups: list[tuple[str, int]] = []
    for line in _inputs(call, names).splitlines():
        if groups and groups[-1][0] == line:
            groups[-1] = (line, groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    call.out("".join(f"{count:7d} {line}\n" if "c" in options else line + "\n" for line, count in groups))
    return 0


def _cut(call: Call) -> Outcome:
    options, names = _split(call, "dfc")
    delimiter = options.get("d", "\t") or " "
    wanted = [int(part) for part in options.get("f", options.get("c", "1")).split(",") if part.isdigit()]
    for line in _inputs(call, names).splitlines():
        pieces: list[str] = list(line) if "c" in options else line.split(delimiter)
        picked = [pieces[index - 1] for index in wanted if 0 < index <= len(pieces)]
        call.out(("" if "c" in options else delimiter).join(picked) + "\n")
    return 0


def _tr(call: Call) -> Outcome:
    options, sets = _split(call)
    ranges = [re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), _unescape(text))
              for text in sets]  # fmt: skip
    if "d" in options and ranges:
        call.out("".join(char for char in call.stdin if char not in ranges[0]))
    elif len(ranges) == 2 and ranges[1]:
        table = {char: ranges[1][min(index, len(ranges[1]) - 1)] for index, char in enumerate(ranges[0])}
        call.out("".join(table.get(char, char) for char in call.stdin))
    else:
        return call.fail("missing operand")
    return 0


def _sed(call: Call) -> Outcome:
    options, rest = _split(call, "e")
    script = options["e"] if "e" in options else rest.pop(0) if rest else ""
    match = re.fullmatch(r"s(.)(.*?)\1(.*?)\1([gI]*)", script)
    test = _matcher(match[2], {"i": ""} if "I" in match[4] else {}) if match else None
    if match is None or test is None:
        return call.fail(f"unsupported command {script}")
    pattern = re.compile(match[2] if re.search(r"[\\.\[*^$]", match[2]) else re.escape(match[2]))
    text = _inputs(call, rest)
    new = "".join(
        pattern.sub(match[3].replace("\\/", "/"), line, count=0 if "g" in match[4] else 1)
        for line in text.splitlines(keepends=True)
    )
    if "i" in options:
        for name in rest:
            call.system.files.write(call.path(name), new)
    else:
        call.out(new)
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
            return Exec(tuple(args[1:]), script=_read(call, args[0]))
        except FileError:
            return call.fail(f"can't open '{args[0]}': No such file or directory", 2)
    if call.stdin:
        return Exec((), script=call.stdin)
    return Serve() if "TERM" in call.shell.variables else 0


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
    for process in call.system.processes():
        call.out(f"{process.pid:5d} {user:8s}  0:00 {' '.join(process.argv)}\n")
    call.out(f"{call.system.container.next_pid:5d} {user:8s}  0:00 {' '.join(call.argv)}\n")
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
        names = _split(call)[1]
        for name in names or ["-"]:
            text = call.stdin if name == "-" else _read(call, name)
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


APPLETS: Final[dict[str, Applet]] = PROGRAMS | {
    "[": _test, "basename": _prints(lambda call: call.args[0].rstrip("/").rpartition("/")[2] if call.args else ""),
    "bash": _shell, "busybox": _busybox, "cat": _cat, "chmod": _succeeds, "chown": _succeeds, "cp": _copy, "cut": _cut,
    "date": _date, "dirname": _prints(lambda call: (call.args[0].rpartition("/")[0] or ".") if call.args else "."),
    "echo": _echo, "env": _env, "false": lambda call: 1, "find": _find, "grep": _grep, "head": _head,
    "hostname": _prints(lambda call: call.system.container.hostname), "id": _id, "kill": _kill, "ls": _ls,
    "md5sum": _digest("md5"), "mkdir": _mkdir, "mv": _copy, "nohup": lambda call: Exec(call.args),
    "printenv": _printenv, "printf": _printf, "ps": _ps, "pwd": _prints(lambda call: call.shell.cwd),
    "rm": _rm, "sed": _sed, "seq": _seq, "sh": _shell, "sha256sum": _digest("sha256"), "sleep": _sleep, "sort": _sort,
    "tail": _tail, "tee": _tee, "test": _test, "timeout": _timeout, "touch": _touch, "tr": _tr,
    "true": _succeeds, "uname": _prints(lambda call: _uname(call)), "uniq": _uniq, "wc": _wc, "which": _which,

    "xargs": _xargs, "yes": _yes,
}  # fmt: skip


def _uname(call: Call) -> str:
    if "-a" in call.args:
        return f"Linux {call.system.container.hostname} 6.12.0 #1 SMP x86_64 GNU/Linux"
    return {"-r": "6.12.0", "-n": call.system.container.hostname, "-m": "x86_64"}.get("".join(call.args[:1]), "Linux")
