"""Turns a request body into an API object in the form that a real API server would give back, or says why not.

Three steps, as in Kubernetes: the bytes are parsed; the value is read into the fields of the Go type of its kind; and
what does not belong there (unknown fields, fields given twice) is refused, warned of or dropped, as the client asks.

The object that comes out is in *normal form*: nulls and unknown fields are gone, empty values stand only where Go's
JSON has them (``emptied`` tells what was given empty), quantities and times are spelt canonically, fields stand in the
order of the Go type and the keys of maps are sorted. Nothing of the input is shared with it but strings, so that it
may be changed in place by defaulting and admission.

Readers of types are compiled from the tables in ``types`` when a type is first met, and then kept.
"""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, NoReturn

from autograder.controlplane.apimachinery import quantity, rfc3339
from autograder.controlplane.apimachinery.errors import BadRequest, RequestEntityTooLarge
from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.kube_apiserver import types
from autograder.controlplane.kube_apiserver.emptied import Emptied

FieldValidation = Literal["Strict", "Warn", "Ignore"]

#: Bytes of a request body that the server reads.
BODY_LIMIT: Final = 3 * 1024 * 1024
#: Values in a YAML document, aliases counted as often as they stand; JSON is bounded by its bytes.
YAML_VALUE_LIMIT: Final = 200_000
#: Strict decoding errors that are reported at most.
STRICT_ERROR_LIMIT: Final = 100

Reader = Callable[[Any, list[str]], Any]
"""Takes a parsed value, and a list that gets every unknown key met; gives the value in normal form."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An object in normal form, and what was wrong with the body but tolerated."""

    object: dict[str, Any]
    warnings: tuple[str, ...] = ()


def decode(
    body: bytes | dict[str, Any],
    type_name: str,
    *,
    kind: str,
    api_version: str,
    field_validation: FieldValidation = "Strict",
    media_type: str = "application/json",
) -> Decoded:
    """Read a body as an object of a kind.

    ``body`` is bytes of ``media_type`` or an already parsed value; ``type_name`` names the Go type (``core/v1.Pod``,
    see ``types.type_name``); ``kind`` and ``api_version`` are those of the resource, for a body that has none.
    Raises ``BadRequest`` with Kubernetes' message, ``RequestEntityTooLarge`` for a body over ``BODY_LIMIT``.
    """
    value: Any = body
    repeats = False
    if isinstance(body, bytes):
        try:
            value, repeats = _parse(body, media_type)
        except _Unreadable as error:
            raise BadRequest(
                f"the object provided is unrecognized (must be of type {kind}): {error} ({_summary(body)})"
            ) from error
    if value is None:
        value = {}
    given_version, given_kind = _kind_of(value, kind, api_version, body)
    if (given_version, given_kind) != (api_version, kind):
        _refuse_kind(given_version, given_kind, kind, api_version)
    unknown: list[str] = []
    try:
        decoded = _reader(type_name)({**value, "kind": kind, "apiVersion": api_version}, unknown)
    except (_Mismatch, _Malformed) as error:
        raise _unhandled(kind, api_version, str(error)) from error
    if field_validation == "Ignore" or not (unknown or repeats):
        return Decoded(decoded)
    strict = list(dict.fromkeys(_strict_errors(value, type_name, "")))[:STRICT_ERROR_LIMIT]
    if strict and field_validation == "Strict":
        raise _unhandled(kind, api_version, "strict decoding error: " + ", ".join(strict))
    return Decoded(decoded, tuple(strict))


def normal_form(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    """A parsed value of a type in normal form; for what was decoded before, such as the result of a patch.

    Raises ``ValueError`` with the decoder's message when the value does not fit the type.
    """
    decoded: dict[str, Any] = _reader(type_name)(value, [])
    return decoded


# ---------------------------------------------------------------- parsing


class _Unreadable(ValueError):
    """The bytes are not JSON (or YAML) at all."""


class _Repeated(dict[str, Any]):
    """A JSON object in which a key stands twice; ``pairs`` are all its members in order."""

    __slots__ = ("pairs",)
    pairs: list[tuple[str, Any]]


class _Number(float):
    """A number with a fraction or an exponent, which remembers how it was written."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> _Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def parse(body: bytes, media_type: str = "application/json") -> Any:
    """The value that the bytes spell. Raises ``ValueError``, or ``RequestEntityTooLarge`` over ``BODY_LIMIT``."""
    return _parse(body, media_type)[0]


def _parse(body: bytes, media_type: str) -> tuple[Any, bool]:
    """The value, and whether a key stands twice in an object of it."""
    if len(body) > BODY_LIMIT:
        raise RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}")
    text = body.decode("utf-8", errors="replace")
    if "yaml" in media_type:
        return _parse_yaml(text), False
    repeated: list[list[tuple[str, Any]]] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            repeated.append(pairs)
            value = _Repeated(value)
            value.pairs = pairs
        return value

    try:
        value = json.loads(text, object_pairs_hook=members, parse_float=_Number, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _Unreadable(f"couldn't get version/kind; json parse error: {_syntax_error(error)}") from error
    except RecursionError as error:
        raise _Unreadable("couldn't get version/kind; json parse error: exceeded max depth") from error
    except ValueError as error:
        raise _Unreadable(f"couldn't get version/kind; json parse error: {error}") from error
    return (_without_surrogates(value) if _SURROGATE.search(text) else value), bool(repeated)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"invalid character '{name[0]}' looking for beginning of value")


_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_LONE: Final = re.compile("[\ud800-\udfff]")


def _without_surrogates(value: Any) -> Any:
    """The value with halves of surrogate pairs, which no UTF-8 can carry, replaced as Go does."""
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(one) for one in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(one) for key, one in value.items()}
    return value


_SYNTAX: Final = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


def _syntax_error(error: json.JSONDecodeError) -> str:
    """What Go says of the same mistake."""
    if error.pos >= len(error.doc) or error.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    where = _SYNTAX.get(error.msg.removesuffix(": "))
    if where is None:
        before = re.sub(r'"(?:[^"\\]|\\.)*"', "", error.doc[: error.pos])
        closed = re.compile(r"\{[^{}\[\]]*\}|\[[^{}\[\]]*\]")
        while closed.search(before):
            before = closed.sub("", before)
        where = "after array element" if before.rfind("[") > before.rfind("{") else "after object key:value pair"
    return f"invalid character {error.doc[error.pos]!r} {where}"


def _parse_yaml(text: str) -> Any:
    import yaml  # most requests are JSON, and the import costs more than such a request

    try:
        value = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _Unreadable(f"error converting YAML to JSON: {error}") from error
    budget = iter(range(YAML_VALUE_LIMIT))
    try:
        return _as_json(value, budget)
    except (StopIteration, RecursionError) as error:
        raise _Unreadable("error converting YAML to JSON: yaml: document contains excessive aliasing") from error


def _as_json(value: Any, budget: Iterator[int]) -> Any:
    """YAML's values as JSON has them: keys are strings, dates are text."""
    next(budget)
    if isinstance(value, dict):
        return {
            key if isinstance(key, str) else json.dumps(key, default=str): _as_json(one, budget)
            for key, one in value.items()
        }
    if isinstance(value, (list, tuple, set)):
        copied = []
        for one in value:
            copied.append(_as_json(one, budget))
        return copied
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


# ---------------------------------------------------------------- the kind of a body


def _kind_of(value: Any, kind: str, api_version: str, body: Any) -> tuple[str, str]:
    """The apiVersion and kind that the body claims; what it leaves out is that of the resource."""
    found = []
    if not isinstance(value, dict):
        go_type = (
            'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
        _unrecognized(kind, f"json: cannot unmarshal {_word(value)} into Go value of type {go_type}", body)
    for name in ("apiVersion", "kind"):
        given = value.get(name)
        if given is not None and not isinstance(given, str):
            _unrecognized(
                kind, f"json: cannot unmarshal {_word(given)} into Go struct field .{name} of type string", body
            )
        found.append(given or "")
    given_version, given_kind = found
    if given_version.count("/") > 1:
        raise BadRequest(
            f"the object provided is unrecognized (must be of type {kind}): "
            f"unexpected GroupVersion string: {given_version} ({_summary(body)})"
        )
    group, _, version = given_version.rpartition("/")
    if not version and group in ("", api_version.rpartition("/")[0]):
        given_version = api_version
    return given_version, given_kind or kind


def _unrecognized(kind: str, why: str, body: Any) -> NoReturn:
    raise BadRequest(
        f"the object provided is unrecognized (must be of type {kind}): "
        f"couldn't get version/kind; json parse error: {why} ({_summary(body)})"
    )


def _refuse_kind(given_version: str, given_kind: str, kind: str, api_version: str) -> NoReturn:
    """The body is an object of some other kind, known or not."""
    version = given_version.rpartition("/")[2]
    type_name = types.type_name(given_version, given_kind)
    if type_name is None:
        scheme = "pkg/api/legacyscheme/scheme.go:30"
        why = f'no kind "{given_kind}" is registered for version "{given_version}" in scheme "{scheme}"'
    elif given_kind == kind:
        raise BadRequest(
            f"the API version in the data ({given_version}) does not match the expected API version ({api_version})"
        )
    else:
        room = (api_version.rpartition("/")[0] or "core").partition(".")[0]
        why = f"converting ({_shown_type(type_name)}) to ({room}.{kind}): unknown conversion"
    raise BadRequest(f'{given_kind} in version "{version}" cannot be handled as a {kind}: {why}')


def _unhandled(kind: str, api_version: str, why: str) -> BadRequest:
    return BadRequest(f'{kind} in version "{api_version.rpartition("/")[2]}" cannot be handled as a {kind}: {why}')


def _summary(body: Any) -> str:
    """The beginning of a body, for an error message."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not data:
        return "<empty>"
    start = data[:30]
    text = start.decode("utf-8", errors="replace") if data[:1] == b"{" else start.hex()
    return text + " ..." if len(data) > 30 else text


# ---------------------------------------------------------------- reading values into types


class _Mismatch(ValueError):
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
            return f"json: cannot unmarshal {self.word} into Go value of type {_shown_type(self.go_type)}"
        field = ".".join([self.struct, *reversed(self.steps)])
        return f"json: cannot unmarshal {self.word} into Go struct field {field} of type {_shown_type(self.go_type)}"


class _Malformed(ValueError):
    """A text that does not spell a quantity, a time, base64."""


def _word(value: Any) -> str:
    """What Go calls a JSON value of this type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array"


def _shown_type(go_type: str) -> str:
    return re.sub(r"\w+/(?=\w)", "", go_type.lstrip("*")).replace("[]byte", "[]uint8")


@dataclass(frozen=True, slots=True)
class _Member:
    """How one JSON field is read: ``steps`` is how errors name it, ``droppable`` whether an empty value is left out."""

    read: Reader
    droppable: bool
    steps: str
    go_type: str


@dataclass(frozen=True, slots=True)
class _Struct:
    """A struct with the fields of its embedded structs.

    ``always`` are the fields that stand even when not given; ``place`` is where each field stands among the others.
    """

    members: dict[str, _Member]
    always: tuple[tuple[str, Callable[[], Any]], ...]
    place: Callable[[str], int]


@cache
def _struct(name: str) -> _Struct:
    members: dict[str, _Member] = {}
    always: list[tuple[str, Callable[[], Any]]] = []
    for field in types.struct(name) or ():
        if not field.json_name:
            inner = _struct(field.go_type.lstrip("*"))
            for json_name, member in inner.members.items():
                steps = f"{field.option}.{member.steps}"
                members[json_name] = _Member(member.read, member.droppable, steps, member.go_type)
            always += inner.always
            continue
        is_pointer = field.go_type.startswith("*")
        shape = _shape(field.go_type)
        droppable = field.option != "" and not is_pointer and shape != "struct"
        reader = _reader(field.go_type)
        if not field.option and shape in ("slice", "map"):
            reader = _null_if_empty(reader)
        members[field.json_name] = _Member(reader, droppable, field.json_name, field.go_type)
        if not field.option or (field.option == "omitempty" and shape == "struct" and not is_pointer):
            always.append((field.json_name, _zero(field.go_type)))
    return _Struct(members, tuple(always), {name: place for place, name in enumerate(members)}.__getitem__)


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
        return lambda: _reader(go_type)({}, [])
    zero = _ZEROS.get(shape, 0)
    return lambda: zero


@cache
def _reader(go_type: str) -> Reader:
    """The reader of a type; readers of a struct's fields are made when the struct is first read."""
    name = go_type.lstrip("*")
    if name in _OWN_READERS:
        return _OWN_READERS[name]
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
            raise _Mismatch(_word(value), name)
        struct = _struct(name)
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
        except _Mismatch as error:
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
    item, zero = _reader(item_type), _zero(item_type)

    def read(value: Any, unknown: list[str]) -> list[Any]:
        if not isinstance(value, list):
            raise _Mismatch(_word(value), name)
        return [zero() if one is None else item(one, unknown) for one in value]

    return read


def _null_if_empty(reader: Reader) -> Reader:
    """Reads a list or map that stands in every object: etcd's protobuf knows no empty one, it comes back as null."""
    return lambda value, unknown: reader(value, unknown) or None


def _map_reader(name: str, item_type: str) -> Reader:
    item = _reader(item_type)
    zero = str if item_type == "[]byte" else _zero(item_type)

    def read(value: Any, unknown: list[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _Mismatch(_word(value), name)
        read_values = {key: zero() if one is None else item(one, unknown) for key, one in value.items()}
        return dict(sorted(read_values.items())) if len(read_values) > 1 else read_values

    return read


def _string_reader(name: str) -> Reader:
    def read(value: Any, unknown: list[str]) -> str:
        if not isinstance(value, str):
            raise _Mismatch(_word(value), name)
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
        word = _word(value)
        raise _Mismatch(f"number {_number_text(value)}" if word == "number" else word, name)

    return read


def _number_text(value: float) -> str:
    return value.text if isinstance(value, _Number) else repr(value)


def _read_bool(value: Any, unknown: list[str]) -> bool:
    if value.__class__ is not bool:
        raise _Mismatch(_word(value), "bool")
    return value


def _read_bytes(value: Any, unknown: list[str]) -> str:
    """Base64 text, in the spelling that Go gives it."""
    if not isinstance(value, str):
        raise _Mismatch(_word(value), "[]byte")
    wrong = _base64_error(value.encode())
    if wrong is not None:
        raise _Malformed(f"illegal base64 data at input byte {wrong}")
    return base64.b64encode(base64.b64decode(value)).decode()


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
        if missing == 0 or text[place] != ord("="):
            return place
        missing -= 1
    return len(text) if missing else None


def _read_quantity(value: Any, unknown: list[str]) -> str:
    if value.__class__ is str:
        text = value.strip()
    elif _word(value) == "number":
        text = _number_text(value)
    else:
        raise _Malformed(quantity.WRONG_FORM)
    try:
        return quantity.canonical(text)
    except quantity.QuantityError as error:
        raise _Malformed(str(error)) from error


_read_int32: Final = _int_reader("int32", *_INT_RANGES["int32"])


def _read_int_or_string(value: Any, unknown: list[str]) -> int | str:
    if isinstance(value, str):
        return value
    number: int = _read_int32(value, unknown)
    return number


def _time_reader(spelt: Callable[[str], str]) -> Reader:
    def read(value: Any, unknown: list[str]) -> str:
        if not isinstance(value, str):
            raise _Mismatch(_word(value), "string")
        try:
            return spelt(value)
        except ValueError as error:
            raise _Malformed(str(error)) from error

    return read


def _read_as_it_is(value: Any, unknown: list[str]) -> Any:
    """A value of no fixed type, copied."""
    if isinstance(value, dict):
        return {key: _read_as_it_is(one, unknown) for key, one in value.items()}
    return [_read_as_it_is(one, unknown) for one in value] if isinstance(value, list) else value


#: Types with JSON code of their own in Go.
_OWN_READERS: Final[dict[str, Reader]] = {
    "resource.Quantity": _read_quantity,
    "intstr.IntOrString": _read_int_or_string,
    "meta/v1.Time": _time_reader(rfc3339.canonical),
    "meta/v1.MicroTime": _time_reader(rfc3339.canonical_micro),
    "meta/v1.Duration": _string_reader("string"),
    "meta/v1.FieldsV1": _read_as_it_is,
    "runtime.RawExtension": _read_as_it_is,
}


# ---------------------------------------------------------------- strictness


def _strict_errors(value: Any, go_type: str, path: str) -> Iterator[str]:
    """Every unknown field and every field given twice, in the order of the body."""
    name = go_type.lstrip("*")
    if value is None or name in _OWN_READERS:
        return
    plain = types.underlying(name)
    if plain.startswith("[]") and isinstance(value, list):
        for position, one in enumerate(value):
            yield from _strict_errors(one, plain[2:], f"{path}[{position}]")
    elif isinstance(value, dict):
        members = None if plain.startswith("map[") else _struct(name).members
        seen: set[str] = set()
        for key, one in value.pairs if isinstance(value, _Repeated) else value.items():
            place = f"{path}.{key}" if path else key
            if members is not None and key not in members:
                yield f"unknown field {quoted(place)}"
                continue
            if key in seen:
                yield f"duplicate field {quoted(place)}"
            seen.add(key)
            yield from _strict_errors(one, members[key].go_type if members else plain.partition("]")[2], place)
