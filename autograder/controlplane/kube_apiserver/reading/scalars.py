"""Readers of values without fields: texts, numbers, bytes, and the types that have JSON code of their own in Go."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.apimachinery import quantity, rfc3339
from autograder.controlplane.kube_apiserver.reading.base64_text import wrong_byte
from autograder.controlplane.kube_apiserver.reading.mismatches import Malformed, Mismatch, number_text, word_for

Reader = Callable[[Any, list[str]], Any]
"""Takes a parsed value, and a list that gets every unknown key met; gives the value in normal form."""


def basic_reader(name: str, plain: str) -> Reader | None:
    """The reader of the type ``name``, which is ``plain`` in the end; None for a list, a map or a struct."""
    if plain in ("string", "types.UID"):
        return _string_reader(name)
    if plain in _INT_RANGES:
        return _int_reader(name, *_INT_RANGES[plain])
    return {"bool": _read_bool, "[]byte": _read_bytes}.get(plain)


def _string_reader(name: str) -> Reader:
    def read(value: Any, unknown: list[str]) -> str:
        if not isinstance(value, str):
            raise Mismatch(word_for(value), name)
        return value

    return read


#: The lowest value of each integer type, and the first one beyond its highest.
_INT_RANGES: Final = {
    "int": (-(2**63), 2**63),
    "int32": (-(2**31), 2**31),
    "int64": (-(2**63), 2**63),
    "uint8": (0, 2**8),
    "uint32": (0, 2**32),
    "uint64": (0, 2**64),
}


def _int_reader(name: str, low: int, beyond: int) -> Reader:
    def read(value: Any, unknown: list[str]) -> int:
        if value.__class__ is int and low <= value < beyond:
            return value
        word = word_for(value)
        raise Mismatch(f"number {number_text(value)}" if word == "number" else word, name)

    return read


def _read_bool(value: Any, unknown: list[str]) -> bool:
    if value.__class__ is not bool:
        raise Mismatch(word_for(value), "bool")
    return value


def _read_bytes(value: Any, unknown: list[str]) -> str:
    """Base64 text, in the spelling that Go gives it; or a list of the bytes."""
    if isinstance(value, list):
        return base64.b64encode(bytes(0 if one is None else _read_byte(one, unknown) for one in value)).decode()
    if not isinstance(value, str):
        raise Mismatch(word_for(value), "[]byte")
    wrong = wrong_byte(value.encode())
    if wrong is not None:
        raise Malformed(f"illegal base64 data at input byte {wrong}")
    return base64.b64encode(base64.b64decode(value)).decode()


_read_byte: Final = _int_reader("uint8", *_INT_RANGES["uint8"])


def _read_quantity(value: Any, unknown: list[str]) -> str:
    if value.__class__ is str:
        text = value.strip()
    elif word_for(value) == "number":
        text = number_text(value)
    else:
        raise Malformed(quantity.WRONG_FORM)
    try:
        return quantity.canonical(text)
    except quantity.QuantityError as error:
        raise Malformed(str(error)) from error


_read_int32: Final = _int_reader("int32", *_INT_RANGES["int32"])


def _read_int_or_string(value: Any, unknown: list[str]) -> int | str:
    if isinstance(value, str):
        return value
    number: int = _read_int32(value, unknown)
    return number


#: Go's zero time in either spelling, which JSON has as null.
_NO_TIME: Final = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z")


def _time_reader(spelt: Callable[[str], str]) -> Reader:
    def read(value: Any, unknown: list[str]) -> str | None:
        if not isinstance(value, str):
            raise Mismatch(word_for(value), "string")
        try:
            time = spelt(value)
        except ValueError as error:
            raise Malformed(str(error)) from error
        return None if time in _NO_TIME else time

    return read


def _read_as_it_is(value: Any, unknown: list[str]) -> Any:
    """A value of no fixed type, copied."""
    if isinstance(value, dict):
        return {key: _read_as_it_is(one, unknown) for key, one in value.items()}
    return [_read_as_it_is(one, unknown) for one in value] if isinstance(value, list) else value


#: Types with JSON code of their own in Go, by their names.
OWN_READERS: Final[dict[str, Reader]] = {
    "resource.Quantity": _read_quantity,
    "intstr.IntOrString": _read_int_or_string,
    "meta/v1.Time": _time_reader(rfc3339.canonical),
    "meta/v1.MicroTime": _time_reader(rfc3339.canonical_micro),
    "meta/v1.Duration": _string_reader("string"),
    "meta/v1.FieldsV1": _read_as_it_is,
    "runtime.RawExtension": _read_as_it_is,
}
