"""A line for kubectl cut into words as a shell does it, so that what only a shell could do is seen and refused."""

from __future__ import annotations

import shlex
from typing import Final

#: Characters that a shell reads for itself; any of them together are a word of their own.
SIGNS: Final = "|&;<>`"


def split(line: str) -> list[str]:
    """The words of a line, without their quotes; a ``#`` begins no comment.  Raises ValueError if one stays open."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=SIGNS)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError as error:
        raise ValueError(f"a quotation is not closed ({str(error).lower()})") from None


def is_of_shell(word: str) -> bool:
    """Whether a word is made of a shell's signs."""
    return bool(word) and set(word) <= set(SIGNS)


def is_substitution(word: str) -> bool:
    """Whether a shell would put in what another command prints."""
    return word.startswith("$(")
