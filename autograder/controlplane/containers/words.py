"""The words of a shell script: text, quotes and expansions, read into their parts.

What stands in ``$( )`` is a script of its own; the reader is given the function that reads one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from autograder.controlplane.containers.tree import Arithmetic, Literal, Part, Sequence, Substitution, Variable, Word

_PARAMETER: Final = re.compile(r"[A-Za-z_]\w*|[0-9]|[?$#@*!-]", re.ASCII)
_BRACED: Final = re.compile(r"(#?)([A-Za-z_]\w*|[0-9]+|[?$#@*!-])(:?[-=+?]|##?|%%?)?", re.ASCII)


class ShellSyntaxError(Exception):
    """The script cannot be read; the message is what a shell says after ``syntax error: ``."""


class Unfinished(ShellSyntaxError):
    """The script ends in the middle of a command; more lines may make it whole."""


class WordReader:
    """A position in a script, and how to go on from there by a word.  Raises ``ShellSyntaxError``."""

    def __init__(self, text: str, parse: Callable[[str], Sequence]) -> None:
        self.text = text
        self.at = 0
        self._parse = parse

    def quoted(self) -> Word:
        """All of the text as if it stood in double quotes, as the body of a here-document does."""
        parts: list[Part] = []
        self._read_double(parts, "")
        return tuple(parts)

    def word(self, stops: str = "") -> Word:
        """Read up to one of the characters ``stops`` that is neither quoted nor escaped."""
        parts: list[Part] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                parts.append(Literal("".join(plain), False))
                plain.clear()

        text = self.text
        while self.at < len(text) and text[self.at] not in stops:
            char = text[self.at]
            if char == "'":
                flush()
                end = text.find("'", self.at + 1)
                if end < 0:
                    raise Unfinished("unterminated quoted string")
                parts.append(Literal(text[self.at + 1 : end], True))
                self.at = end + 1
            elif char == '"':
                flush()
                self.at += 1
                before = len(parts)
                self._read_double(parts, '"')
                if len(parts) == before:
                    parts.append(Literal("", True))
            elif char == "\\" and self.at + 1 < len(text):
                flush()
                if text[self.at + 1] != "\n":
                    parts.append(Literal(text[self.at + 1], True))
                self.at += 2
            elif char in "$`":
                part = self._read_expansion(quoted=False)
                if part is None:
                    plain.append("$")
                else:
                    flush()
                    parts.append(part)
            else:
                plain.append(char)
                self.at += 1
        flush()
        return tuple(parts)

    def _read_double(self, parts: list[Part], closing: str) -> None:
        """Read up to the closing quote (or the end, if ``closing`` is empty)."""
        plain: list[str] = []
        text = self.text
        while True:
            if self.at >= len(text):
                if closing:
                    raise Unfinished("unterminated quoted string")
                break
            char = text[self.at]
            if closing and char == closing:
                self.at += 1
                break
            if char == "\\" and self.at + 1 < len(text) and text[self.at + 1] in '$`"\\\n':
                if text[self.at + 1] != "\n":
                    plain.append(text[self.at + 1])
                self.at += 2
            elif char in "$`":
                part = self._read_expansion(quoted=True)
                if part is None:
                    plain.append("$")
                else:
                    if plain:
                        parts.append(Literal("".join(plain), True))
                        plain = []
                    parts.append(part)
            else:
                plain.append(char)
                self.at += 1
        if plain:
            parts.append(Literal("".join(plain), True))

    def _read_expansion(self, *, quoted: bool) -> Part | None:
        """Read what begins with ``$`` or a backquote; None for a dollar that is just one."""
        text = self.text
        if text[self.at] == "`":
            end = text.find("`", self.at + 1)
            if end < 0:
                raise Unfinished("EOF in backquote substitution")
            script = text[self.at + 1 : end].replace("\\`", "`")
            self.at = end + 1
            return Substitution(self._parse(script), quoted)
        self.at += 1
        if text.startswith("((", self.at):
            end = self._matching(self.at, "(", ")")
            inner = text[self.at + 2 : end - 1]
            self.at = end + 1
            return Arithmetic(self._beside(inner).quoted(), quoted)
        if text.startswith("(", self.at):
            end = self._matching(self.at, "(", ")")
            script = text[self.at + 1 : end]
            self.at = end + 1
            return Substitution(self._parse(script), quoted)
        if text.startswith("{", self.at):
            return self._read_braced(quoted=quoted)
        match = _PARAMETER.match(text, self.at)
        if match is None:
            return None
        self.at = match.end()
        return Variable(match[0], "", (), quoted)

    def _read_braced(self, *, quoted: bool) -> Part:
        end = self._matching(self.at, "{", "}")
        match = _BRACED.match(self.text, self.at + 1)
        if match is None:
            raise ShellSyntaxError("bad substitution")
        argument = self.text[match.end() : end]
        self.at = end + 1
        if match[1]:
            return Variable(match[2], "length", (), quoted)
        if not match[3] and argument:
            raise ShellSyntaxError("bad substitution")
        return Variable(match[2], match[3] or "", self._beside(argument).word(), quoted)

    def _matching(self, start: int, opening: str, closing: str) -> int:
        """The position of the bracket that closes the one at ``start``; quotes hide brackets."""
        depth, at, quote = 0, start, ""
        while at < len(self.text):
            char = self.text[at]
            if char == "\\":
                at += 1
            elif quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
                if not depth:
                    return at
            at += 1
        raise Unfinished(f'unexpected end of file (expecting "{closing}")')

    def _beside(self, text: str) -> WordReader:
        """A reader for a part of the script that stands by itself."""
        return WordReader(text, self._parse)
