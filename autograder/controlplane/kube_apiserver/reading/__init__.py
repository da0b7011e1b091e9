"""Reads parsed values into the Go types of the API: one reader for each type, compiled when the type is first met.

A reader gives the value in normal form (see ``decoding``), or says in Go's words where it does not fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.emptied import Emptied
from autograder.controlplane.kube_apiserver.reading.mismatches import Mismatch, word_for
from autograder.controlplane.kube_apiserver.reading.scalars import OWN_READERS, Reader, basic_reader


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

    def completed(self, given: dict[str, Any]) -> dict[str, Any]:
        """The fields that were given and those that always stand, in the order of the type."""
        for name, zero in self.always:
            if name not in given:
                given[name] = zero()
        return {name: given[name] for name in sorted(given, key=self.place)} if len(given) > 1 else given


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
        shape = shape_of(field.go_type)
        droppable = field.option != "" and not is_pointer and shape != "struct"
        reader = reader_of(field.go_type)
        if not field.option and shape in ("slice", "map"):
            reader = _null_if_empty(reader)
        members[field.json_name] = Member(reader, droppable, field.json_name, field.go_type)
        if not field.option or (field.option == "omitempty" and shape == "struct" and not is_pointer):
            always.append((field.json_name, _zero(field.go_type)))
    return Struct(members, tuple(always), {name: place for place, name in enumerate(members)}.__getitem__)


def shape_of(go_type: str) -> str:
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
    shape = shape_of(go_type)
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
    basic = basic_reader(name, plain)
    if basic is not None:
        return basic
    if plain.startswith("[]"):
        return _list_reader(name, plain[2:])
    if plain.startswith("map["):
        return _map_reader(name, plain.partition("]")[2])
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
        out = struct.completed(out)
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
