"""Variants of right answers that are commands: written in other ways, which may lose nothing, and wrong ones.

Whatever the solution does to the cluster has to matter: left out, or done with another name, number or image, it costs
something.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from autograder.exercises import allowed, command_lines
from autograder.exercises.allowed import FLAGS
from autograder.exercises.command_lines import Command, CommandLine

#: Commands that change nothing, or only wait for what happens anyway.
LOOKING: Final = frozenset({
    "api-resources", "api-versions", "cluster-info", "describe", "diff", "events", "exec", "explain", "get", "logs",
    "top", "version", "wait",
})  # fmt: skip
#: Flags about how something is done, not what.
MANNERS: Final = frozenset({
    "--timeout", "--grace-period", "--field-manager", "-o", "--output", "--dry-run", "--for", "--cascade", "--wait",
    "--overwrite", "-f", "--filename", "--type", "-p", "--patch", "-n", "--namespace", "--save-config", "--force",
    "--ignore-daemonsets", "--delete-emptydir-data", "--to-revision", "-l", "--selector",
})  # fmt: skip


def equivalents(text: str) -> Iterator[tuple[str, str]]:
    """The same commands written in other ways."""
    plain = text if text.endswith("\n") else f"{text}\n"
    yield "comments", f"# mine\n\n{plain}# the end\n"
    yield "Windows line ends", plain.replace("\n", "\r\n")
    yield "byte order mark", f"\ufeff{plain}"
    if "<<" not in plain:
        yield "blank lines", plain.replace("\n", "\n\n")
        yield "as magics", re.sub(r"^kubectl ", "%kubectl ", plain, flags=re.MULTILINE)
        yield "indented", "".join(f"  {line}  \n" for line in plain.splitlines())
        yield "continued", plain.replace(" -", " \\\n  -")
        yield "every word quoted", "".join(_quoted(line) for line in command_lines.read(plain, "solution")[0])
        yield "values apart", _reflagged(plain, "=", " ")


def wrong(text: str) -> Iterator[tuple[str, str]]:
    """Answers of which each must lose something."""
    rows = text.splitlines()
    for line in command_lines.read(text, "solution")[0]:
        if line.stdin or line.file or not _acts(line):
            continue
        at = line.line - 1
        if len(line.commands) == 1:
            rest = [row for number, row in enumerate(rows) if number != at]
            yield f"without {rows[at]!r}", "\n".join(rest) + "\n"
        for changed in _changed(line.commands[0]):
            row = shlex.join(["kubectl", *changed])
            yield row, "\n".join([*rows[:at], row, *rows[at + 1 :]]) + "\n"


def meaning(lines: Sequence[CommandLine]) -> tuple[object, ...]:
    """All that decides what command lines do; equal for two that are only written differently."""
    return tuple((line.commands, line.stdin, line.file) for line in lines)


def _acts(line: CommandLine) -> bool:
    first = line.commands[0]
    return first.verb not in LOOKING and first.arguments[:2] not in (("rollout", "status"), ("rollout", "history"))


def _changed(command: Command) -> Iterator[list[str]]:
    """The arguments with another name, number or image in the place of each one that says what is to be."""
    words = list(command.arguments)
    belongs = ""  #: the flag whose value the next word is
    for at, word in enumerate(words):
        flag, joined, value = ("", "", word) if belongs else word.partition("=")
        about, belongs = belongs or flag, ""
        if word == "--":
            return
        if word.startswith("-") and not joined:
            belongs = word if allowed.takes_value(command.verb, word) else ""
        elif about not in MANNERS and (joined or about in words) and value and word != command.verb:
            yield [*words[:at], f"{flag}{joined}{_other(value)}", *words[at + 1 :]]


def _other(value: str) -> str:
    """A value of the same sort that means something else."""
    if value.isdecimal():
        return str(int(value) + 1)
    name, colon, tag = value.rpartition(":")
    return f"{name}:9.99" if colon and name else f"{tag}-x"


def _quoted(line: CommandLine) -> str:
    rows = " | ".join(
        " ".join(["kubectl", *(f"'{word}'" if "'" not in word else shlex.quote(word) for word in command.arguments)])
        for command in line.commands
    )
    return f"{rows} > {line.file}\n" if line.file else f"{rows}\n"


def _reflagged(text: str, old: str, new: str) -> str:
    """``--flag=value`` as ``--flag value`` wherever the flag must have a value."""
    known = {flag.rpartition("/")[2].removesuffix("=") for flags in FLAGS.values() for flag in flags.split()
             if flag.endswith("=")}  # fmt: skip
    for flag in sorted(known, key=len, reverse=True):
        text = text.replace(f" --{flag}{old}", f" --{flag}{new}")
    return text
