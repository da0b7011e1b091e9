"""Turns the bytes of a request body into a value: JSON as Go reads it, or YAML or protobuf that says the same.

Broken bodies get Go's words. Hostile ones (deep, long, full of aliases) are refused before they cost much.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from autograder.controlplane.apimachinery.errors import RequestEntityTooLarge
from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.kube_apiserver.unreadable import Broken

#: Bytes of a request body that the server reads.
BODY_LIMIT: Final = 3 * 1024 * 1024
PROTOBUF: Final = "application/vnd.kubernetes.protobuf"
#: How deeply lists and maps may be nested; no object of Kubernetes needs a tenth of that, and whatever walks through
#: one is spared from running out of stack.
DEPTH_LIMIT: Final = 200


#: Characters of an integer that a type of Go may hold.
_INTEGER_LENGTH: Final = 21


class Repeated(dict[str, Any]):
    """A JSON object in which a key stands twice; ``pairs`` are all its members in order."""

    __slots__ = ("pairs",)
    pairs: list[tuple[str, Any]]


class Number(float):
    """A number with a fraction or an exponent, which remembers how it was written."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Number:
        number = super().__new__(cls, text)
        number.text = text
        return number


def parse(body: bytes, media_type: str = "application/json") -> Any:
    """The value that the bytes spell. Raises ``ValueError``, or ``RequestEntityTooLarge`` over ``BODY_LIMIT``."""
    return parse_body(body, media_type)[0]


def parse_body(body: bytes, media_type: str) -> tuple[Any, bool]:
    """The value, and whether a key stands twice in an object of it."""
    if len(body) > BODY_LIMIT:
        raise RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}")
    if media_type.partition(";")[0].strip() == PROTOBUF:
        from autograder.controlplane.kube_apiserver import protobuf  # loads a library that most servers never need

        return protobuf.parse(body), False
    text = body.decode("utf-8", errors="replace")
    if "yaml" in media_type:
        from autograder.controlplane.kube_apiserver import yaml_parsing  # most requests are JSON and do without it

        return yaml_parsing.parse(text), False
    repeated: list[list[tuple[str, Any]]] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            repeated.append(pairs)
            value = Repeated(value)
            value.pairs = pairs
        return value

    try:
        _bound_json_depth(text)
        value = _loads(text, members)
    except json.JSONDecodeError as error:
        raise Broken(syntax_error(error, body)) from error
    except RecursionError as error:
        raise Broken("exceeded max depth") from error
    except ValueError as error:
        raise Broken(str(error)) from error
    return (_without_surrogates(value) if _SURROGATE.search(text) else value), bool(repeated)


def _loads(text: str, members: Callable[[list[tuple[str, Any]]], Any]) -> Any:
    try:
        return json.loads(text, object_pairs_hook=members, parse_float=Number, parse_constant=_refuse_constant)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer has more digits than Python converts
        return json.loads(
            text, object_pairs_hook=members, parse_float=Number, parse_constant=_refuse_constant, parse_int=_integer
        )


def _integer(text: str) -> int | Number:
    """The integer; one that is beyond all types of Go, as it was written."""
    return int(text) if len(text) <= _INTEGER_LENGTH else Number(text)


#: Strings, which may have no end, and brackets; nothing is looked at twice, whatever the text.
_BRACKETS: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


def _bound_json_depth(text: str) -> None:
    """Raise ``RecursionError`` for JSON that is nested too deeply; most has too few brackets to be looked at."""
    if text.count("[") + text.count("{") <= DEPTH_LIMIT:
        return
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth > DEPTH_LIMIT:
            raise RecursionError("exceeded max depth")


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


_LITERALS: Final = ("true", "false", "null")


def _broken_literal(literal: str, text: str) -> str:
    """What Go says of a word that begins like a literal."""
    place = next((place for place, char in enumerate(literal) if text[place : place + 1] != char), 0)
    if place >= len(text):
        return "unexpected end of JSON input"
    return f"invalid character {_character(text[place])} in literal {literal} (expecting {literal[place]!r})"


def syntax_error(error: json.JSONDecodeError, body: bytes) -> str:
    """What Go says of the same mistake in the bytes, of which it looks at one after the other."""
    try:
        json.loads(body.decode("latin-1"))
    except json.JSONDecodeError as bytewise:
        error = bytewise
    place = error.pos
    if error.msg.startswith("Illegal trailing comma"):  # Python from 3.13 on points at the comma, Go at what follows it
        place += len(error.doc[place:]) - len(error.doc[place + 1 :].lstrip(" \t\n\r"))
    if place >= len(error.doc) or error.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    where = _SYNTAX.get(error.msg.removesuffix(": "))
    for literal in _LITERALS if error.msg == "Expecting value" else ():
        if error.doc[place] == literal[0]:
            return _broken_literal(literal, error.doc[place:])
    if error.msg == "Expecting value" and error.doc[place] == "-" and len(error.doc) > place + 1:
        return f"invalid character {_character(error.doc[place + 1])} in numeric literal"
    if where is None:
        before = re.sub(r'"(?:[^"\\]|\\.)*"', "", error.doc[:place])
        closed = re.compile(r"\{[^{}\[\]]*\}|\[[^{}\[\]]*\]")
        while closed.search(before):
            before = closed.sub("", before)
        where = "after array element" if before.rfind("[") > before.rfind("{") else "after object key:value pair"
    return f"invalid character {_character(error.doc[place])} {where}"


def _character(char: str) -> str:
    """A character between quotes, as Go shows it."""
    return {"'": r"'\''", '"': "'\"'"}.get(char) or f"'{quoted(char)[1:-1]}'"
