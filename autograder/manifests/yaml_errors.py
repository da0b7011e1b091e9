"""YAML errors in plain English: what libyaml could not read, and what to do about it.

libyaml names its own states ("did not find expected key"); a learner needs the likely cause. The cause is looked for
in the line itself first (a tab, a missing space), and then in a table of libyaml's messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import yaml

from autograder.manifests.tree import Mark

Explained: TypeAlias = tuple[Mark, str, str]

_BAD_INDENTATION: Final = re.compile("[ -]*[\t\u00a0]")
_BARE_WORD: Final = re.compile(r"[ -]*[A-Za-z]\w*\s*")
_NO_SPACE_AFTER_COLON: Final = re.compile(r"[\s-]*[A-Za-z][\w./-]*:[^\s:/]")
_VALUE: Final = re.compile(r"[\s-]*[^\s:#'\"]+:\s+(.+)")


class _Case(NamedTuple):
    """What to say when libyaml says ``says``; ``at_start`` points to where the broken thing begins."""

    says: str
    message: str
    hint: str
    at_start: bool = False


_UNCLOSED = ("a quote is opened here and not closed", "add the same quote at the end of the text", True)
_QUOTE_TAG = "put a value that begins with ! in quotes"

_CASES: Final = (
    _Case(
        "did not find expected key",
        "this line does not line up with the fields above it",
        "give all fields of one map the same indentation",
    ),
    _Case(
        "did not find expected '-' indicator",
        "this line does not line up with the list above it",
        "begin each entry of a list with a dash, all at the same indentation",
    ),
    _Case(
        "block sequence entries are not allowed",
        "a list entry cannot stand here",
        "begin the list on a line of its own, under the name of its field",
    ),
    _Case(
        "mapping keys are not allowed",
        "a `?` cannot stand here",
        "put it in quotes if it is meant as text",
    ),
    _Case(
        "could not find expected ':'",
        "this line is neither `name: value` nor an entry of a list",
        "write a colon and a space behind the name of a field, or indent the line if it continues the text above",
        at_start=True,
    ),
    _Case(
        "did not find expected ',' or '}'",
        "a `{` is opened here and not closed with `}`",
        "close it, and put commas between its fields",
        at_start=True,
    ),
    _Case(
        "did not find expected ',' or ']'",
        "a `[` is opened here and not closed with `]`",
        "close it, and put commas between its entries",
        at_start=True,
    ),
    _Case("found unexpected end of stream", *_UNCLOSED),
    _Case("found unexpected document indicator", *_UNCLOSED),
    _Case(
        "found unknown escape character",
        "a backslash in double quotes begins a code, and this is none",
        "use single quotes, or write the backslash twice",
    ),
    _Case(
        "did not find expected hexdecimal number",
        "`\\x`, `\\u` and `\\U` in double quotes need 2, 4 or 8 hexadecimal digits",
        "use single quotes if the backslash is meant as text",
    ),
    _Case(
        "invalid Unicode character escape code",
        "there is no character of this code",
        "use the character itself",
    ),
    _Case(
        "did not find expected alphabetic or numeric character",
        "`&` and `*` begin the name of an anchor, and there is none",
        "put a value that begins with & or * in quotes",
        at_start=True,
    ),
    _Case(
        "did not find expected comment or line break",
        "only a comment may follow `|` or `>` on its line",
        "begin the text on the next line, indented",
    ),
    _Case("indentation indicator", "the number behind `|` or `>` must be 1 to 9", "leave it out"),
    _Case(
        "did not find expected whitespace or line break",
        "a space is missing behind this",
        "put a value that begins with !, & or * in quotes",
    ),
    _Case("undefined tag handle", "`!` begins a tag, and this one is not known", _QUOTE_TAG, at_start=True),
    _Case("tag", "`!` begins a tag, and this is none", _QUOTE_TAG, at_start=True),
    _Case(
        "did not find expected <document start>",
        "something stands behind the end of a document",
        "separate objects by a line `---`",
    ),
    _Case("did not find expected node content", "a value is missing here", "write the value, or take the comma out"),
    _Case(
        "directive",
        "a line that begins with `%` is a directive, and this one is not known",
        "put a value that begins with % in quotes",
    ),
    _Case("YAML document", "this version of YAML is not known", "leave the line out"),
)


def explain(error: yaml.YAMLError, lines: list[str]) -> Explained:
    """Where the error is (from 1), what it is, and what to do; ``lines`` is the text that was read."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return (1, 1), f"this cannot be read as YAML: {error}", ""
    said = error.problem or ""
    mark = _mark(error.problem_mark, lines)
    start = _mark(error.context_mark, lines) if error.context_mark is not None else mark
    for look in _LOOKS:
        explained = look(said, mark, start, lines)
        if explained is not None:
            return explained
    for case in _CASES:
        if case.says in said:
            return (start if case.at_start else mark), case.message, case.hint
    return mark, f"this cannot be read as YAML: {said}", ""


def _mark(mark: yaml.Mark, lines: list[str]) -> Mark:
    """The place; one behind the end of the text moves to the end of its last line."""
    line, column = mark.line + 1, mark.column + 1
    while line > 1 and (line > len(lines) or not lines[line - 1].strip()):
        line -= 1
        column = len(lines[line - 1].rstrip()) + 1 if line <= len(lines) else 1
    return line, column


def _line(lines: list[str], mark: Mark) -> str:
    return lines[mark[0] - 1] if mark[0] <= len(lines) else ""


def _indentation(said: str, mark: Mark, start: Mark, lines: list[str]) -> Explained | None:
    for number in (mark[0], start[0]):
        bad = _BAD_INDENTATION.match(lines[number - 1]) if number <= len(lines) else None
        if bad:
            what = "a tab" if bad[0].endswith("\t") else "a no-break space"
            return (number, bad.end()), f"{what} cannot indent YAML", "use spaces"
    return None


def _bad_first_character(said: str, mark: Mark, start: Mark, lines: list[str]) -> Explained | None:
    if "cannot start any token" not in said:
        return None
    character = _line(lines, mark)[mark[1] - 1 : mark[1]]
    if character == "\t":
        return mark, "a tab cannot stand here", "use spaces"
    return mark, f"a value cannot begin with the character {character}", "put it in quotes"


def _unclosed_at_end(said: str, mark: Mark, start: Mark, lines: list[str]) -> Explained | None:
    rest = (_line(lines, mark)[mark[1] - 1 :], *lines[mark[0] :])
    if "did not find expected node content" not in said or any(line.strip() for line in rest):
        return None
    return mark, "the text ends here, and a bracket is still open", "close it with `]` or `}`"


def _after_the_end(said: str, mark: Mark, start: Mark, lines: list[str]) -> Explained | None:
    end = _line(lines, mark)[: mark[1] - 1].rstrip()[-1:]
    if "did not find expected key" not in said or end not in ("'", '"', "]", "}"):
        return None
    if end in ("]", "}"):
        return (
            mark,
            f"something stands behind the closing `{end}`",
            "begin a new line, or put the whole value in quotes",
        )
    other = '"' if end == "'" else "'"
    hint = f"put the whole value in the other kind of quotes, {other}"
    return mark, f"the text in quotes ended before this, with {end}", hint


def _missing_space(said: str, mark: Mark, start: Mark, lines: list[str]) -> Explained | None:
    if "mapping values are not allowed" not in said and "could not find expected ':'" not in said:
        return None
    for number in (start[0], mark[0], mark[0] - 1):
        match = _NO_SPACE_AFTER_COLON.match(lines[number - 1]) if 0 < number <= len(lines) else None
        if match:
            return (number, match.end()), "a space is missing after the colon", "write `name: value`"
    return None


def _missing_colon(said: str, mark: Mark, start: Mark, lines: list[str]) -> Explained | None:
    above = mark[0] - 1
    while above > 1 and not lines[above - 1].strip():
        above -= 1
    number = start[0] if "could not find expected ':'" in said else above if "mapping values" in said else 0
    if not 0 < number <= len(lines) or not _BARE_WORD.fullmatch(lines[number - 1]):
        return None
    column = len(lines[number - 1].rstrip()) + 1
    return (number, column), "a colon is missing behind the name of the field", "write `name: value`"


def _second_colon(said: str, mark: Mark, start: Mark, lines: list[str]) -> Explained | None:
    if "mapping values are not allowed" not in said:
        return None
    value = _VALUE.match(_line(lines, mark)[: mark[1]])
    if value:
        message = "this value has a colon and a space in it, as if it were a field of its own"
        return (mark[0], value.start(1) + 1), message, "put the value in quotes, or begin a new line for the field"
    message = "this line is indented deeper than the one above, which has a value already"
    line = _line(lines, mark)
    return (
        (mark[0], len(line) - len(line.lstrip()) + 1),
        message,
        "line it up with the field above, or take the value above away",
    )


_Look: TypeAlias = Callable[[str, Mark, Mark, list[str]], "Explained | None"]
_LOOKS: Final[tuple[_Look, ...]] = (
    _indentation,
    _bad_first_character,
    _after_the_end,
    _unclosed_at_end,
    _missing_space,
    _missing_colon,
    _second_colon,
)
