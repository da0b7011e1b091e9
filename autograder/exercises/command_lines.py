"""Reading answers that are commands: lines of kubectl, and of a shell only what people use with it.

    kubectl create deployment web --image=nginx:1.27 --dry-run=client -o yaml > web.yaml
    kubectl apply -f web.yaml                 # a file of the answer; there are no others
    kubectl get pod web -o yaml | kubectl replace -f -
    kubectl apply -f - <<EOF
    ...
    EOF

Nothing else of a shell is there: no variables, no other programs, no ``&&``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from autograder.clusters import shell_words
from autograder.exercises import allowed
from autograder.exercises.allowed import NotAllowed
from autograder.manifests import Problem
from autograder.manifests.problems import Position

#: Commands that are run for one answer.
COMMANDS: Final = 20
#: Characters of an answer that are read.
LENGTH: Final = 64 * 1024
_EXAMPLE: Final = "write one kubectl command a line"


@dataclass(frozen=True, slots=True)
class Command:
    """kubectl with its arguments; ``verb`` is the first that is no flag."""

    verb: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Commands, each of which reads what the one before has printed.

    The first one reads ``stdin``; what the last one prints goes into ``file``, unless that is empty.
    """

    line: int
    commands: tuple[Command, ...]
    stdin: str = ""
    file: str = ""


def read(text: str | bytes, source: str) -> tuple[list[CommandLine], list[Problem]]:
    """The command lines of an answer, and everything that is wrong with them."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", "replace")
    if len(text) > LENGTH:
        return [], [Problem("error", f"the answer has {len(text)} characters, and at most {LENGTH} are read")]
    lines: list[CommandLine] = []
    problems: list[Problem] = []
    rows = enumerate(text.removeprefix("\ufeff").splitlines(), 1)
    for number, row in rows:
        while row.endswith("\\") and not _is_comment(row):
            row = row[:-1] + " " + next(rows, (0, ""))[1].strip()
        if not row.strip() or _is_comment(row):
            continue
        try:
            if odd := next((char for char in row if not (char.isprintable() or char == "\t")), ""):
                raise NotAllowed(f"there is a character here that nobody sees ({odd!a}); take it out")
            lines.append(_line(number, row, rows))
        except NotAllowed as error:
            column = len(row) - len(row.lstrip()) + 1
            problems.append(Problem("error", str(error), Position(source, number, column)))
    count = sum(len(line.commands) for line in lines)
    if count > COMMANDS:
        problems.append(Problem("error", f"the answer has {count} commands, and at most {COMMANDS} are run"))
    return lines, problems


def _is_comment(row: str) -> bool:
    return row.lstrip().startswith("#")


def _line(number: int, row: str, rows: Iterator[tuple[int, str]]) -> CommandLine:
    words = _words(row)
    stdin, file = "", ""
    if "<<" in words:
        at = words.index("<<")
        end = words[at + 1] if at + 1 < len(words) else ""
        if not end or end in shell_words.SIGNS:
            raise NotAllowed("after << comes the word that ends the text, as in <<EOF")
        del words[at : at + 2]
        stdin = _until(end, rows)
    if ">" in words:
        at = words.index(">")
        if at != len(words) - 2:
            raise NotAllowed("after > comes the name of one file, and nothing else")
        file = allowed.plain_file(words[-1])
        del words[at:]
    stages: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            stages.append([])
        elif shell_words.is_of_shell(word):
            raise NotAllowed(f"`{word}` is of a shell, and there is none here; {_EXAMPLE}")
        else:
            stages[-1].append(word)
    return CommandLine(number, tuple(map(_command, stages)), stdin, file)


def _words(row: str) -> list[str]:
    try:
        words = shell_words.split(row)
    except ValueError as error:
        raise NotAllowed(str(error)) from None
    comment = next((at for at, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:comment]


def _until(end: str, rows: Iterator[tuple[int, str]]) -> str:
    text: list[str] = []
    for _, row in rows:
        if row.strip() == end:
            return "".join(f"{line}\n" for line in text)
        text.append(row)
    raise NotAllowed(f"the text after << is not ended by a line {end}")


def _command(words: list[str]) -> Command:
    if not words:
        raise NotAllowed(f"a command is missing beside `|`; {_EXAMPLE}")
    program = words[0].removeprefix("%")
    if program != "kubectl":
        hint = "begin the line with kubectl" if program in allowed.FLAGS else _EXAMPLE
        raise NotAllowed(f"{program[:40]!r} cannot be run here, only kubectl can; {hint}")
    if any(map(shell_words.is_substitution, words)):
        raise NotAllowed(f"`$(...)` is of a shell, and there is none here; {_EXAMPLE}")
    return Command(allowed.check(words[1:]), tuple(words[1:]))
