"""From bytes to text: what is no text, or too much of it, is refused with the place where it goes wrong."""

from __future__ import annotations

import re
from typing import Final

from autograder.manifests.problems import Position, Problem

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NOT_YAML: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SAVE_AS_UTF8: Final = "save the file as UTF-8"


def decode(data: str | bytes, source: str, size: int) -> str | Problem:
    """The text of a manifest of at most ``size`` bytes, without a byte order mark, or what is wrong with it."""
    if len(data) > size:
        return _too_large(len(data), source, size)
    if isinstance(data, str):
        if len(data) * 4 > size and (encoded := len(data.encode("utf-8", "surrogatepass"))) > size:
            return _too_large(encoded, source, size)
        text = data.removeprefix("\ufeff")
    else:
        if data.startswith(_UTF16_MARKS) or data[:2].count(0) == 1:
            return Problem(
                "error", "this is UTF-16, and a manifest is UTF-8", Position(source, 1, 1), hint=_SAVE_AS_UTF8
            )
        data = data.removeprefix(_UTF8_MARK)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8")
            message = f"byte 0x{data[error.start]:02X} is not UTF-8 (byte {error.start + 1} of the file)"
            return Problem("error", message, _place(before, source), hint=_SAVE_AS_UTF8)
    null = text.find("\0")
    if null >= 0:
        return Problem("error", "there is a NUL character here", _place(text[:null], source), hint="delete it")
    return text


def bad_character(text: str, source: str) -> Problem | None:
    """The first character that YAML forbids: control characters other than tab and line breaks, lone surrogates."""
    match = _NOT_YAML.search(text)
    if match is None:
        return None
    message = f"the character U+{ord(match[0]):04X} cannot be seen, and YAML does not allow it"
    return Problem("error", message, _place(text[: match.start()], source), hint="delete it")


def _too_large(found: int, source: str, size: int) -> Problem:
    message = f"the manifest has {found:,} bytes, and at most {size:,} are read"
    return Problem("error", message, Position(source, 1, 1), hint="make it smaller")


def _place(before: str, source: str) -> Position:
    """The position behind the text ``before``."""
    return Position(source, before.count("\n") + 1, len(before) - before.rfind("\n"))
