"""JSON patch (RFC 6902): a list of operations on paths, all of which must succeed."""

from __future__ import annotations

import json
from typing import Any, Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.apimachinery.errors import BadRequest, Invalid, RequestEntityTooLarge
from autograder.controlplane.kube_apiserver.parsing import parse
from autograder.controlplane.kube_apiserver.reading.mismatches import Mismatch, word_for
from autograder.controlplane.kube_apiserver.unreadable import Broken

#: Operations in one patch, as kube-apiserver limits them.
OPERATION_LIMIT: Final = 10_000
#: Bytes that one patch may copy: what holds copies of itself doubles with each.
COPY_LIMIT: Final = 3 * 1024 * 1024


class _Refused(ValueError):
    """An operation cannot be carried out; the words are those of the library that kube-apiserver uses."""


def decode_json_patch(body: bytes) -> list[dict[str, Any]]:
    """The operations in a body; ``BadRequest`` for something that is no patch."""
    try:
        patch = parse(body)
    except Broken as error:
        raise BadRequest(f"error decoding patch: {error.why}") from error
    if patch is None:
        return []
    if not isinstance(patch, list):
        raise _no_patch(patch, "[]handlers.jsonPatchOp")
    for operation in patch:
        if not isinstance(operation, dict):
            raise _no_patch(operation, "handlers.jsonPatchOp")
    return patch


def _no_patch(value: Any, go_type: str) -> BadRequest:
    return BadRequest(f"error decoding patch: {Mismatch(word_for(value), go_type)}")


def apply_json_patch(document: Any, patch: list[dict[str, Any]]) -> Any:
    """The document with every operation applied in order; the keys of every map on the way to a change are sorted.

    ``Invalid`` when an operation fails, ``RequestEntityTooLarge`` for too many of them.
    """
    if len(patch) > OPERATION_LIMIT:
        detail = f"The allowed maximum operations in a JSON patch is {OPERATION_LIMIT}, got {len(patch)}"
        raise RequestEntityTooLarge(detail)
    copied = 0
    for operation in patch:
        try:
            copied += _copied(document, operation)
            if copied > COPY_LIMIT:
                raise _Refused(f"copies of {copied} bytes, and the limit is {COPY_LIMIT}")
            document = _apply(document, operation)
        except _Refused as error:
            refusal = Invalid("the server rejected our request due to an error in our request", details={})
            raise refusal from error
    return document


def _copied(document: Any, operation: dict[str, Any]) -> int:
    """The bytes that an operation copies."""
    if operation.get("op") != "copy":
        return 0
    return len(json.dumps(_value_at(document, _part(operation.get("from")))))


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    name, pointer, value = (operation.get(key) for key in ("op", "path", "value"))
    if name == "test":
        if not _is_same(_value_at(document, _steps(pointer)), value):
            raise _Refused(f"testing path {pointer} value failed")
        return document
    if name == "replace" and pointer == "":
        return _document(value)
    path = _part(pointer)
    if name == "remove":
        return _changed(document, path, _REMOVE)
    if name == "add":
        return _changed(document, path, _Add(value))
    if name == "replace":
        return _changed(document, path, value)
    if name in ("move", "copy"):
        source = _part(operation.get("from"))
        moved = _value_at(document, source)
        if name == "move":
            document = _changed(document, source, _REMOVE)
        return _changed(document, path, _Add(moved))
    raise _Refused(f"Unexpected kind: {name}")


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON, in which 1, 1.0 and true are three things."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _document(value: Any) -> Any:
    """The value that takes the place of the whole document."""
    if not isinstance(value, (dict, list)):
        raise _Refused("replace operation value must be object or array")
    return value


class _Add:
    """Wraps a value that is inserted into a list rather than put in the place of an entry."""

    def __init__(self, value: Any) -> None:
        self.value = value


_REMOVE: Final = object()


def _steps(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise _Refused(f"{pointer!r} is no JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _part(pointer: Any) -> list[str]:
    """The steps to a part of the document, which is not all of it."""
    steps = _steps(pointer)
    if not steps:
        raise _Refused("the path names no part of the document")
    return steps


def _value_at(document: Any, path: list[str]) -> Any:
    """The value at a path; what an object does not have is null."""
    if not path:
        return document
    holder = _get(document, path[:-1])
    return holder.get(path[-1]) if isinstance(holder, dict) else _get(holder, path[-1:])


def _get(document: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list):
            document = document[_index(step, len(document) - 1)]
        else:
            raise _Refused(f"nothing at {step!r}")
    return document


def _changed(document: Any, path: list[str], change: Any) -> Any:
    """A copy along the path, with the change at its end."""
    step, rest = path[0], path[1:]
    if isinstance(document, dict):
        copy: Any = dict(document)
        if rest:
            if step not in document:
                raise _Refused(f"nothing at {step!r}")
            copy[step] = _changed(document[step], rest, change)
        elif change is _REMOVE:
            if step not in copy:
                raise _Refused(f"nothing to remove at {step!r}")
            del copy[step]
        else:
            copy[step] = change.value if isinstance(change, _Add) else change
        return dict(sorted(copy.items()))
    if isinstance(document, list):
        copy = list(document)
        if rest:
            index = _index(step, len(copy) - 1)
            copy[index] = _changed(document[index], rest, change)
        elif change is _REMOVE:
            del copy[_index(step, len(copy) - 1)]
        elif isinstance(change, _Add):
            copy.insert(len(copy) if step == "-" else _index(step, len(copy)), change.value)
        else:
            copy[_index(step, len(copy) - 1)] = change
        return copy
    raise _Refused(f"nothing at {step!r}")


def _index(step: str, last: int) -> int:
    index = integers.read(step)
    if index is None:
        raise _Refused(f"{step!r} is no index")
    if index < 0:
        index += last + 1
    if not 0 <= index <= last:
        raise _Refused(f"index {step} is out of range")
    return index
