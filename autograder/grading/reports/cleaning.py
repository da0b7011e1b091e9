"""Texts of students, made fit to be shown: nothing in them hides, moves what stands around, or has no end."""

from __future__ import annotations

import hashlib
import re
from typing import Final

#: Characters that cannot be seen or that turn the text around them: controls but for tab and line feed, marks of
#: direction, zero width but for the joiners that words need, tags, surrogates, and what is no character at all.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
#: Characters of a quotation.
QUOTED: Final = 300
#: Characters of a file's name; with an ending it is still short enough for every file system.
_NAME: Final = 80
_PLAIN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.@+-]*")
_OTHER: Final = re.compile(r"[^a-z0-9_@+-]+")
#: Names that Windows keeps for devices, whatever their ending.
DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def visible(text: str) -> str:
    """The text with every hidden character written out, as in ``⟨U+202E⟩``."""
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text.replace("\r\n", "\n"))


def cut(text: str, most: int = QUOTED) -> str:
    """The beginning of a text, which says how much was cut off."""
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters)"


def quoted(text: str, most: int = QUOTED) -> str:
    """A text to be quoted in passing: cut, then made visible."""
    return visible(cut(text.strip(), most))


def one_line(text: str, most: int = QUOTED) -> str:
    """A text as one line."""
    return " ".join(quoted(text, most).split())


def short(text: str, most: int) -> str:
    """A text for a place where there is little room; an ellipsis stands for what was cut off."""
    text = " ".join(visible(text[: 4 * most]).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def file_name(name: str) -> str:
    """A name for a file: the one given if every file system takes it, else one made from it that is its own."""
    plain = _PLAIN_NAME.fullmatch(name) and len(name) <= _NAME and not name.endswith(".")
    if plain and not DEVICES.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    stem = _OTHER.sub("-", name.lower())[: _NAME - 11].strip("-")
    return f"{stem or 'student'}-{digest}"
