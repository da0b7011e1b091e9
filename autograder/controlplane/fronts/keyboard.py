"""What a terminal does between a keyboard and a program: it shows what is typed, and hands over whole lines.

The clients send keys as they are pressed; a pseudo-terminal of the node would edit and echo the line.
"""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.node_connection import END_OF_INPUT

_ENTER: Final = "\r\n"
_BACKSPACE: Final = "\x7f\b"
_INTERRUPT, _KILL_LINE, _ESCAPE = "\x03", "\x15", "\x1b"
#: Where a sequence that begins with ESC ends (ECMA-48).
_FINAL: Final = frozenset(map(chr, range(0x40, 0x7F)))
#: No line is longer.
LINE_LIMIT: Final = 64 * 1024


class Typed(NamedTuple):
    """What came of some keys: text to show, and text for the program."""

    shown: str = ""
    text: str = ""


class Keyboard:
    """Reads what a client types, with a terminal in between (``tty``) or without."""

    def __init__(self, *, tty: bool) -> None:
        self._tty = tty
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []
        self._escape = ""

    def feed(self, data: bytes) -> Typed:
        """Take in some bytes."""
        text = self._decoder.decode(data)
        if not self._tty:
            return Typed(text=text)
        shown: list[str] = []
        given: list[str] = []
        for key in text:
            if self._is_escaped(key):
                continue
            self._press(key, shown, given)
        return Typed("".join(shown), "".join(given))

    def _press(self, key: str, shown: list[str], given: list[str]) -> None:
        line = self._line
        if key in _ENTER:
            given.append("".join(line) + "\n")
            shown.append("\r\n")
            line.clear()
        elif key in _BACKSPACE:
            if line:
                line.pop()
                shown.append("\b \b")
        elif key == _KILL_LINE:
            shown.append("\b \b" * len(line))
            line.clear()
        elif key == _INTERRUPT:
            shown.append("^C\r\n")
            line.clear()
            given.append("\n")
        elif key == END_OF_INPUT:
            given += [*line, "" if line else key]
            line.clear()
        elif (key.isprintable() or key == "\t") and len(line) < LINE_LIMIT:
            line.append(key)
            shown.append(key)

    def _is_escaped(self, key: str) -> bool:
        """Whether a key belongs to a sequence such as that of an arrow, which nothing here understands."""
        if key == _ESCAPE:
            self._escape = key
            return True
        if not self._escape:
            return False
        if self._escape == _ESCAPE and key in "[O":
            self._escape += key
        else:
            self._escape = "" if key in _FINAL else self._escape
        return True


def on_screen(text: str, *, tty: bool) -> bytes:
    """Output as a client gets it; a terminal takes the cursor back to where lines begin."""
    return (text.replace("\n", "\r\n") if tty else text).encode()
