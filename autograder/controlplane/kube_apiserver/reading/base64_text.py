"""Base64 text, as Go decodes it: it names the byte that it stumbles on."""

from __future__ import annotations

import string
from typing import Final

_BASE64: Final = frozenset(string.ascii_letters.encode() + string.digits.encode() + b"+/")
_LINE_ENDS: Final = b"\r\n"


def wrong_byte(text: bytes) -> int | None:
    """The place of the byte that Go's decoder stumbles on; None for good text. Line ends may stand anywhere."""
    quantum = 0
    for place, byte in enumerate(text):
        if byte in _BASE64:
            quantum = (quantum + 1) % 4
        elif byte == ord("=") and quantum >= 2:
            return _padding_error(text, place, 4 - quantum)
        elif byte not in _LINE_ENDS:
            return place
    return len(text) - quantum if quantum else None


def _padding_error(text: bytes, start: int, missing: int) -> int | None:
    """What is wrong with the text from its first ``=``, of which there must be ``missing``."""
    for place in range(start, len(text)):
        if text[place] in _LINE_ENDS:
            continue
        if missing == 0:
            return place
        if text[place] != ord("="):
            return place - 1
        missing -= 1
    return len(text) if missing else None
