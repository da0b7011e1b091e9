"""The commands that read text and print text: ``head``, ``tail``, ``grep``, ``sed``, ``sort`` and the like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Applet, Call, Outcome, Serve, Sleep

MAX_LINES: Final = 10_000

_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"'}


def read(call: Call, name: str) -> str:
    """The text of a file; raises ``FileError``."""
    return call.system.files.read(call.path(name))


def inputs(call: Call, names: list[str]) -> str:
    """The text of the files named, or the standard input."""
    return "".join(read(call, name) for name in names) if names else call.stdin


def options_of(call: Call, valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Options and operands; ``valued`` are the options that take a value.  ``-40`` is the older form of ``-n 40``."""
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
        elif arg[1:].isdigit() and "n" in valued:
            options["n"] = arg[1:]
        else:
            for index, flag in enumerate(arg[1:], 2):
                if flag in valued:
                    options[flag] = arg[index:] or (args.pop(0) if args else "")
                    break
                options[flag] = ""
    return options, rest


def unescape(text: str) -> str:
    """A text in which backslash escapes are what they stand for."""
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text)


def _tee(call: Call) -> Outcome:
    options, names = options_of(call)
    for name in names:
        call.system.files.write(call.path(name), call.stdin, append="a" in options)
    call.out(call.stdin)
    return 0


def _head(call: Call) -> Outcome:
    options, names = options_of(call, "nc")
    text = inputs(call, names)
    if "c" in options:
        call.out(text[: _count(options["c"], len(text))])
    else:
        call.out("".join(text.splitlines(keepends=True)[: _count(options.get("n", ""), 10)]))
    return 0


def _count(text: str, otherwise: int) -> int:
    count = integers.read(text)
    return otherwise if count is None else count


def _tail(call: Call) -> Outcome:
    options, names = options_of(call, "ncs")
    if {"f", "F"} & options.keys():
        if call.path(names[0] if names else "/dev/null") == "/dev/null":
            return Serve()
        return _follow(call, names[0], options)
    lines = inputs(call, names).splitlines(keepends=True)
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
        seen = _count(options["seen"], 0)
        seen = seen if 0 <= seen <= len(text) else 0
    else:
        lines = text.splitlines(keepends=True)
        wanted = options.get("n", "10")
        keep = lines[max(_count(wanted, 1) - 1, 0) :] if wanted.startswith("+") else lines[-abs(_count(wanted, 10)) :]
        seen = len(text) - sum(map(len, keep))
    call.out(text[seen:])
    return Sleep(SECOND, again=(call.argv[0], "-F", f"--seen={len(text)}", name), forever=True)


def _grep(call: Call) -> Outcome:
    options, rest = options_of(call, "eABC")
    pattern = options["e"] if "e" in options else rest.pop(0) if rest else ""
    test = _matcher(pattern, options)
    if test is None:
        return call.fail("bad regex", 2)
    lines = inputs(call, rest).splitlines()
    found = [index for index, line in enumerate(lines) if test(line) != ("v" in options)]
    if "c" in options:
        call.out(f"{len(found)}\n")
    elif "q" not in options:
        call.out("".join(line + "\n" for line in _in_context(lines, found, options)))
    return 0 if found else 1


def _in_context(lines: list[str], found: list[int], options: dict[str, str]) -> Iterator[str]:
    """The lines that ``grep`` prints: those found, and so many before and after each (``-B``, ``-A``, ``-C``)."""
    around = _count(options.get("C", ""), 0)
    before, after = _count(options.get("B", ""), around), _count(options.get("A", ""), around)
    hits, last = set(found), -1
    for index in found:
        start = max(index - before, last + 1)
        if (before or after) and last >= 0 and start > last + 1:
            yield "--"
        for number in range(start, min(index + after, len(lines) - 1) + 1):
            mark = f"{number + 1}{':' if number in hits else '-'}" if "n" in options else ""
            yield mark + lines[number]
        last = max(last, min(index + after, len(lines) - 1))


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
    numbers = [number for arg in call.args if (number := integers.read(arg)) is not None]
    if not numbers or len(numbers) != len(call.args) or len(numbers) > 3:
        return call.fail("invalid number")
    first, step, last = (1, 1, *numbers) if len(numbers) == 1 else (numbers[0], 1, numbers[1]) if len(
        numbers) == 2 else numbers  # fmt: skip
    values = range(first, last + (1 if step > 0 else -1), step or 1)[:MAX_LINES]
    call.out("".join(f"{value}\n" for value in values))
    return 0


def _wc(call: Call) -> Outcome:
    options, names = options_of(call)
    text = inputs(call, names)
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text.encode())}
    shown = [str(counts[flag]) for flag in "lwc" if flag in options or not options]
    call.out(" ".join([*shown, *names]) + "\n")
    return 0


def _sort(call: Call) -> Outcome:
    options, names = options_of(call, "k")
    lines = inputs(call, names).splitlines()
    key = _leading_number if "n" in options else str
    lines = sorted(set(lines) if "u" in options else lines, key=key, reverse="r" in options)
    call.out("".join(line + "\n" for line in lines))
    return 0


def _leading_number(line: str) -> int:
    """The number with which a line begins, or 0."""
    match = re.match(r"\s*(-?[0-9]+)", line)
    return integers.nearest(match[1]) if match else 0


def _uniq(call: Call) -> Outcome:
    options, names = options_of(call)
    groups: list[tuple[str, int]] = []
    for line in inputs(call, names).splitlines():
        if groups and groups[-1][0] == line:
            groups[-1] = (line, groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    call.out("".join(f"{count:7d} {line}\n" if "c" in options else line + "\n" for line, count in groups))
    return 0


def _cut(call: Call) -> Outcome:
    options, names = options_of(call, "dfc")
    delimiter = options.get("d", "\t") or " "
    wanted = [_count(part, 0) for part in options.get("f", options.get("c", "1")).split(",")]
    for line in inputs(call, names).splitlines():
        pieces: list[str] = list(line) if "c" in options else line.split(delimiter)
        picked = [pieces[index - 1] for index in wanted if 0 < index <= len(pieces)]
        call.out(("" if "c" in options else delimiter).join(picked) + "\n")
    return 0


def _tr(call: Call) -> Outcome:
    options, sets = options_of(call)
    ranges = [_characters(text) for text in sets]
    first = set(ranges[0]) if ranges else set()
    if "d" in options and ranges:
        call.out("".join(char for char in call.stdin if char not in first))
    elif "s" in options and len(ranges) == 1:
        call.out(re.sub(r"(.)\1+", lambda m: m[1] if m[1] in first else m[0], call.stdin, flags=re.S))
    elif len(ranges) == 2 and ranges[1]:
        table = {char: ranges[1][min(index, len(ranges[1]) - 1)] for index, char in enumerate(ranges[0])}
        call.out("".join(table.get(char, char) for char in call.stdin))
    else:
        return call.fail("missing operand")
    return 0


def _characters(text: str) -> str:
    """A set as ``tr`` reads it: ``a-z`` is a range; none goes beyond ASCII, as in BusyBox, which knows bytes only."""
    return re.sub(r"([ -~])-([ -~])", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), unescape(text))


def _sed(call: Call) -> Outcome:
    options, rest = options_of(call, "e")
    script = options["e"] if "e" in options else rest.pop(0) if rest else ""
    match = re.fullmatch(r"s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gI]*)", script)
    test = _matcher(match[2], {"i": ""} if "I" in match[4] else {}) if match else None
    if match is None or test is None:
        return call.fail(f"unsupported command {script}")
    flags = re.IGNORECASE if "I" in match[4] else 0
    pattern = re.compile(match[2] if re.search(r"[\\.\[*^$]", match[2]) else re.escape(match[2]), flags)
    lines = inputs(call, rest).splitlines(keepends=True)
    try:
        new = "".join(
            pattern.sub(match[3].replace("\\/", "/"), line, count=0 if "g" in match[4] else 1) for line in lines
        )
    except re.error as error:  # what is put in names a group that is not there
        return call.fail(f"{error} in {script}")
    if "i" in options:
        for name in rest:
            call.system.files.write(call.path(name), new)
    else:
        call.out(new)
    return 0


TEXT_APPLETS: Final[dict[str, Applet]] = {
    "cut": _cut,
    "grep": _grep,
    "head": _head,
    "sed": _sed,
    "seq": _seq,
    "sort": _sort,
    "tail": _tail,
    "tee": _tee,
    "tr": _tr,
    "uniq": _uniq,
    "wc": _wc,
}
