"""Field errors: which field of an object is wrong, in what way, and the value found there.

A validation rule takes a value and its ``Path`` and yields ``FieldError`` objects made by the functions below.
Forms and texts are those of Kubernetes (apimachinery/pkg/util/validation/field).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Path:
    """The way from the root of an object to one field; rendered only when an error needs it.

    ``Path("spec").child("ports").index(0).child("name")`` is ``spec.ports[0].name``.
    """

    __slots__ = ("_parent", "_step")

    def __init__(self, step: str | int, parent: Path | None = None) -> None:
        self._step = step
        self._parent = parent

    def child(self, name: str) -> Path:
        """The field ``name`` of the map at this path."""
        return Path(name, self)

    def index(self, position: int) -> Path:
        """The entry at ``position`` of the list at this path."""
        return Path(position, self)

    def key(self, key: str) -> Path:
        """The entry ``key`` of the free-form map at this path."""
        return Path(f"[{key}]", self)

    def __str__(self) -> str:
        steps: list[str] = []
        node: Path | None = self
        while node is not None:
            step = node._step
            if isinstance(step, int):
                steps.append(f"[{step}]")
            else:
                steps.append(step if step.startswith("[") else f".{step}")
            node = node._parent
        return "".join(reversed(steps)).removeprefix(".")

    def __repr__(self) -> str:
        return f"Path({str(self)!r})"


class ErrorType(Enum):
    """The kinds of field error: the cause's ``reason`` and the words that begin its message."""

    NOT_FOUND = ("FieldValueNotFound", "Not found")
    REQUIRED = ("FieldValueRequired", "Required value")
    DUPLICATE = ("FieldValueDuplicate", "Duplicate value")
    INVALID = ("FieldValueInvalid", "Invalid value")
    NOT_SUPPORTED = ("FieldValueNotSupported", "Unsupported value")
    FORBIDDEN = ("FieldValueForbidden", "Forbidden")
    TOO_LONG = ("FieldValueTooLong", "Too long")
    TOO_MANY = ("FieldValueTooMany", "Too many")
    INTERNAL = ("InternalError", "Internal error")

    def __init__(self, reason: str, words: str) -> None:
        self.reason = reason
        self.words = words


class _Omitted:
    """Stands for a value that the message does not show."""


OMITTED: Final = _Omitted()


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: ``field`` is the rendered path, ``value`` what was found there (or ``OMITTED``)."""

    type: ErrorType
    field: str
    value: Any
    detail: str

    def body(self) -> str:
        """The message without the field, as it stands in a Status cause."""
        text = self.type.words
        if self.value is not OMITTED:
            text += ": " + shown(self.value)
        if self.detail:
            text += ": " + self.detail
        return text

    def __str__(self) -> str:
        return f"{self.field}: {self.body()}"


def not_found(path: Path, value: Any) -> FieldError:
    """The field refers to something that is not there."""
    return FieldError(ErrorType.NOT_FOUND, str(path), value, "")


def required(path: Path, detail: str = "") -> FieldError:
    """The field must be given and is not."""
    return FieldError(ErrorType.REQUIRED, str(path), OMITTED, detail)


def duplicate(path: Path, value: Any) -> FieldError:
    """The value must be unique and stands twice."""
    return FieldError(ErrorType.DUPLICATE, str(path), value, "")


def invalid(path: Path, value: Any, detail: str) -> FieldError:
    """The value is malformed or out of range."""
    return FieldError(ErrorType.INVALID, str(path), value, detail)


def not_supported(path: Path, value: Any, supported: Iterable[str]) -> FieldError:
    """The value is none of an enumeration; the message lists what is supported in the order given."""
    listed = ", ".join(quoted(one) for one in supported)
    return FieldError(ErrorType.NOT_SUPPORTED, str(path), value, f"supported values: {listed}" if listed else "")


def forbidden(path: Path, detail: str) -> FieldError:
    """The field may not be set here."""
    return FieldError(ErrorType.FORBIDDEN, str(path), OMITTED, detail)


def too_long(path: Path, limit: int, unit: str = "byte") -> FieldError:
    """The value has more than ``limit`` bytes (or another ``unit``, given in the singular)."""
    return FieldError(
        ErrorType.TOO_LONG, str(path), OMITTED, f"may not be more than {limit} {unit}{'s' * (limit != 1)}"
    )


def too_many(path: Path, count: int, limit: int) -> FieldError:
    """The list has ``count`` entries and may have ``limit``."""
    return FieldError(ErrorType.TOO_MANY, str(path), count, f"must have at most {limit} item{'s' * (limit != 1)}")


def internal(path: Path, detail: str) -> FieldError:
    """The server could not judge the field."""
    return FieldError(ErrorType.INTERNAL, str(path), OMITTED, detail)


def shown(value: Any) -> str:
    """A value as Kubernetes prints it in an error: strings quoted, numbers bare, the rest as Go's JSON."""
    if isinstance(value, str):
        return quoted(value)
    return go_json(value)


_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def quoted(text: str) -> str:
    """The string as Go's ``%q`` prints it."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_ESCAPES.get(char) or _printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    code = ord(char)
    if char.isprintable():
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def go_json(value: Any, *, sort_keys: bool = False) -> str:
    """The value as Go's ``json.Marshal`` writes it: no spaces, and ``<``, ``>``, ``&`` escaped.

    Go writes the keys of a map in order, and the fields of a struct as they stand.
    """
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=sort_keys)
    for char in "<>&\u2028\u2029":
        if char in text:
            text = text.replace(char, f"\\u{ord(char):04x}")
    return text
