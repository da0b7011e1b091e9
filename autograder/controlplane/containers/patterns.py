"""What a shell takes off a text by a pattern: ``${v#p}``, ``${v##p}``, ``${v%p}`` and ``${v%%p}``.

The time that this takes grows with the text, and not with its square: whoever writes the script may make it long.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: A pattern that is longer, in characters, stands for itself.
MAX_PATTERN: Final = 1000
_SET: Final = re.compile(r"\[[!^]?\]?[^]]*\]|.", re.DOTALL)


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """The text without the shortest (or longest) beginning that a pattern matches."""
    if len(pattern) > MAX_PATTERN:
        return text.removeprefix(pattern)
    match = _beginning(_parts(pattern), longest=longest).match(text)
    return text[match.end() :] if match else text


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """The text without the shortest (or longest) end that a pattern matches."""
    if len(pattern) > MAX_PATTERN:
        return text.removesuffix(pattern)
    match = _beginning(_parts(pattern)[::-1], longest=longest).match(text[::-1])
    return text[: len(text) - match.end()] if match else text


def _parts(pattern: str) -> list[str]:
    """The signs of a pattern, each of which stands for one character, and ``*``."""
    end = pattern.rfind("]") + 1
    return [*_SET.findall(pattern[:end]), *pattern[end:]]


def _beginning(parts: Sequence[str], *, longest: bool) -> re.Pattern[str]:
    """A regular expression for a beginning.

    What follows a ``*`` is taken where it comes first, and never looked for anew: that leaves most for the others.  Of
    the longest beginning the last piece is taken where it comes last.
    """
    first, *others = _pieces(parts)
    last = others.pop() if longest and others else None
    middle = "".join(f"(?>.*?{piece})" for piece in others)
    return re.compile(first + middle + (f".*{last}" if last is not None else ""), re.DOTALL)


def _pieces(parts: Sequence[str]) -> list[str]:
    """The pieces between the ``*`` of a pattern, as regular expressions."""
    pieces = [""]
    for part in parts:
        if part == "*":
            pieces.append("")
        elif part == "?":
            pieces[-1] += "."
        else:
            pieces[-1] += re.escape(part) if len(part) == 1 else _set(part)
    return pieces


def _set(part: str) -> str:
    """``[a-z]`` or ``[!a-z]`` as a regular expression; a range whose end comes before its start is empty."""
    negated = part[1] in "!^"
    members = part[2 if negated else 1 : -1]
    ranges = re.findall(r"(.)-(.)|(.)", members, re.DOTALL)
    found = [
        re.escape(one) or f"{re.escape(start)}-{re.escape(end)}" for start, end, one in ranges if one or start <= end
    ]
    if not found:
        return "." if negated else "(?!)"
    return f"[{'^' if negated else ''}{''.join(found)}]"
