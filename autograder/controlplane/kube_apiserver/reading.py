"""Reads parsed values into the Go types of the API: one reader for each type, compiled when the type is first met.

A reader gives the value in normal form (see ``decoding``), or says in Go's words where it does not fit.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from autograder.controlplane.apimachinery import quantity, rfc3339, types
from autograder.controlplane.kube_apiserver.emptied import Emptied
from autograder.controlplane.kube_apiserver.parsing import Number

Reader = Callable[[Any, list[str]], Any]
"""Takes a parsed value, and a list that gets every unknown key met; gives the value in normal form."""


class Mismatch(ValueError):
    """A value of the wrong JSON type; the structs that it stands in add their fields on the way out."""

    def __init__(self, word: str, go_type: str) -> None:
        super().__init__()
        self.word = word
        self.go_type = go_type
        self.struct = ""
        self.steps: list[str] = []

    def within(self, struct: str, field: str) -> None:
        """The value stands in this field (with the names of embedded structs before it) of this struct."""
        self.struct = self.struct or struct
        self.steps.append(field)

    def __str__(self) -> str:
        if not self.struct:
            return f"json: cannot unmarshal {self.word} into Go value of type {shown_type(self.go_type)}"
        field = ".".join([self.struct, *reversed(self.steps)])
        return f"json: cannot unmarshal {self.word} into Go struct field {field} of type {shown_type(self.go_type)}"


class Malformed(ValueError):
    """A text that does not spell a quantity, a time, base64."""


def word_for(value: Any) -> str:
    """What Go calls a JSON value of this type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array"


def shown_type(go_type: str) -> str:
    """A Go type as errors name it: the package without its path."""
    return re.sub(r"\w+/(?=\w)", "", go_type.lstrip("*")).replace("[]byte", "[]uint8")


@dataclass(frozen=True, slots=True)
class Member:
    """How one JSON field is read: ``steps`` is how errors name it, ``droppable`` whether an empty value is left out."""

    read: Reader
    droppable: bool
    steps: str
    go_type: str


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct with the fields of its embedded structs.

    ``always`` are the fields that stand even when not given; ``place`` is where each field stands among the others.
    """

    members: dict[str, Member]
    always: tuple[tuple[str, Callable[[], Any]], ...]
    place: Callable[[str], int]


@cache
def struct_of(name: str) -> Struct:
    """How objects of a struct type are read."""
    members: dict[str, Member] = {}
    always: list[tuple[str, Callable[[], Any]]] = []
    for field in types.struct(name) or ():
        if not field.json_name:
            inner = struct_of(field.go_type.lstrip("*"))
            for json_name, member in inner.members.items():
                steps = f"{field.option}.{member.steps}"
                members[json_name] = Member(member.read, member.droppable, steps, member.go_type)
            always += inner.always
            continue
        is_pointer = field.go_type.startswith("*")
        shape = _shape(field.go_type)
        droppable = field.option != "" and not is_pointer and shape != "struct"
        reader = reader_of(field.go_type)
        if not field.option and shape in ("slice", "map"):
            reader = _null_if_empty(reader)
        members[field.json_name] = Member(reader, droppable, field.json_name, field.go_type)
        if not field.option or (field.option == "omitempty" and shape == "struct" and not is_pointer):
            always.append((field.json_name, _zero(field.go_type)))
    return Struct(members, tuple(always), {name: place for place, name in enumerate(members)}.__getitem__)


def _shape(go_type: str) -> str:
    """``struct``, ``slice``, ``map`` or the name of a basic type, with pointers and type names looked through."""
    plain = types.underlying(go_type.lstrip("*"))
    if plain.startswith("[]"):
        return "slice"
    if plain.startswith("map["):
        return "map"
    return "struct" if "." in plain and plain != "types.UID" else plain


_ZEROS: Final[dict[str, Any]] = {"slice": None, "map": None, "bool": False, "string": "", "types.UID": ""}
_STRUCT_ZEROS: Final[dict[str, Any]] = {
    "resource.Quantity": "0",
    "intstr.IntOrString": 0,
    "meta/v1.Time": None,
    "meta/v1.MicroTime": None,
    "meta/v1.Duration": "0s",
    "meta/v1.FieldsV1": None,
    "runtime.RawExtension": None,
}


def _zero(go_type: str) -> Callable[[], Any]:
    """Makes the normal form of a value that is not given."""
    if go_type.startswith("*"):
        return lambda: None
    if go_type in _STRUCT_ZEROS:
        value = _STRUCT_ZEROS[go_type]
        return lambda: value
    shape = _shape(go_type)
    if shape == "struct":
        return lambda: reader_of(go_type)({}, [])
    zero = _ZEROS.get(shape, 0)
    return lambda: zero


@cache
def reader_of(go_type: str) -> Reader:
    """The reader of a type; readers of a struct's fields are made when the struct is first read."""
    name = go_type.lstrip("*")
    if name in OWN_READERS:
        return OWN_READERS[name]
    plain = types.underlying(name)
    if plain == "[]byte":
        return _read_bytes
    if plain.startswith("[]"):
        return _list_reader(name, plain[2:])
    if plain.startswith("map["):
        return _map_reader(name, plain.partition("]")[2])
    if plain in ("string", "types.UID"):
        return _string_reader(name)
    if plain == "bool":
        return _read_bool
    if plain in _INT_RANGES:
        return _int_reader(name, *_INT_RANGES[plain])
    if types.struct(name) is None:
        raise TypeError(f"no reader for the type {go_type}")
    return _struct_reader(name)


def _struct_reader(name: str) -> Reader:
    short = name.rpartition(".")[2]

    def read(value: Any, unknown: list[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Mismatch(word_for(value), name)
        struct = struct_of(name)
        members = struct.members
        out: dict[str, Any] = {}
        empty: dict[str, Any] = {}
        key = ""
        try:
            for key, given in value.items():
                member = members.get(key)
                if member is None:
                    unknown.append(key)
                elif given is not None:
                    result = member.read(given, unknown)
                    if result or not member.droppable:
                        out[key] = result
                    if not result and out.get(key) is None and isinstance(given, (list, dict)):
                        empty[key] = type(given)()
        except Mismatch as error:
            error.within(short, members[key].steps)
            raise
        for key, zero in struct.always:
            if key not in out:
                out[key] = zero()
        if len(out) > 1:
            out = {key: out[key] for key in sorted(out, key=struct.place)}
        if empty:
            out = Emptied(out)
            out.empty = empty
        return out

    return read


def _list_reader(name: str, item_type: str) -> Reader:
    item, zero = reader_of(item_type), _zero(item_type)

    def read(value: Any, unknown: list[str]) -> list[Any]:
        if not isinstance(value, list):
            raise Mismatch(word_for(value), name)
        return [zero() if one is None else item(one, unknown) for one in value]

    return read


def _null_if_empty(reader: Reader) -> Reader:
    """Reads a list or map that stands in every object: etcd's protobuf knows no empty one, it comes back as null."""
    return lambda value, unknown: reader(value, unknown) or None


def _map_reader(name: str, item_type: str) -> Reader:
    item = reader_of(item_type)
    zero = str if item_type == "[]byte" else _zero(item_type)

    def read(value: Any, unknown: list[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Mismatch(word_for(value), name)
        read_values = {key: zero() if one is None else item(one, unknown) for key, one in value.items()}
        return dict(sorted(read_values.items())) if len(read_values) > 1 else read_values

    return read


def _string_reader(name: str) -> Reader:
    def read(value: Any, unknown: list[str]) -> str:
        if not isinstance(value, str):
            raise Mismatch(word_for(value), name)
        return value

    return read


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


def number_text(value: float) -> str:
    """A number as it was written."""
    return value.text if isinstance(value, Number) else repr(value)


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
    wrong = _base64_error(value.encode())
    if wrong is not None:
        raise Malformed(f"illegal base64 data at input byte {wrong}")
    return base64.b64encode(base64.b64decode(value)).decode()


_read_byte: Final = _int_reader("uint8", *_INT_RANGES["uint8"])

_BASE64: Final = frozenset(string.ascii_letters.encode() + string.digits.encode() + b"+/")
_LINE_ENDS: Final = b"\r\n"


def _base64_error(text: bytes) -> int | None:
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


def _time_reader(spelt: Callable[[str], str]) -> Reader:
    def read(value: Any, unknown: list[str]) -> str:
        if not isinstance(value, str):
            raise Mismatch(word_for(value), "string")
        try:
            return spelt(value)
        except ValueError as error:
            raise Malformed(str(error)) from error

    return read


def _read_as_it_is(value: Any, unknown: list[str]) -> Any:
    """A value of no fixed type, copied."""
    if isinstance(value, dict):
        return {key: _read_as_it_is(one, unknown) for key, one in value.items()}
    return [_read_as_it_is(one, unknown) for one in value] if isinstance(value, list) else value


#: Types with JSON code of their own in Go.
OWN_READERS: Final[dict[str, Reader]] = {
    "resource.Quantity": _read_quantity,
    "intstr.IntOrString": _read_int_or_string,
    "meta/v1.Time": _time_reader(rfc3339.canonical),
    "meta/v1.MicroTime": _time_reader(rfc3339.canonical_micro),
    "meta/v1.Duration": _string_reader("string"),
    "meta/v1.FieldsV1": _read_as_it_is,
    "runtime.RawExtension": _read_as_it_is,
}


def refuse_unmarshalled(value: Any, go_type: str) -> None:
    """Raise what the first type with JSON code of its own says against a value in a body that does not fit.

    Go notes the first value of a wrong type and reads on; a refusal by such code ends the reading and is what counts.
    """
    name = go_type.lstrip("*")
    if value is None:
        return
    if name in OWN_READERS:
        OWN_READERS[name](value, [])
        return
    plain = types.underlying(name)
    if plain.startswith("[]") and isinstance(value, list) and plain != "[]byte":
        for one in value:
            refuse_unmarshalled(one, plain[2:])
    elif plain.startswith("map[") and isinstance(value, dict):
        for one in value.values():
            refuse_unmarshalled(one, plain.partition("]")[2])
    elif isinstance(value, dict) and _shape(name) == "struct":
        members = struct_of(name).members
        for key in [key for key in value if key in members]:
            try:
                refuse_unmarshalled(value[key], members[key].go_type)
            except Mismatch as error:
                error.within(name.rpartition(".")[2], members[key].steps)
                raise
