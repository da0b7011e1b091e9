"""Reading a document of results: what is not of its form is refused, with the place where."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from autograder.grading.reports.results import VERSION, BadResults, Results

Record = TypeVar("Record")


def read(path: Path) -> Results:
    """The document in a file; raises ``BadResults``, and OSError if there is none to be read."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadResults(f"{path} is not JSON: {error}; write it with autograder grade --json") from error
    except BadResults as error:
        raise BadResults(f"{path}: {error}; write it with autograder grade --json") from error


def from_json(document: Any) -> Results:
    """The results of a document; raises ``BadResults`` for what is none, or is of another version."""
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != VERSION:
        raise BadResults(f"schema_version is {version!a}, and {VERSION} is read here")
    return _record(Results, document, "")


def _record(kind: type[Record], value: Any, path: str) -> Record:
    if not isinstance(value, dict):
        raise BadResults(f"{path or 'the document'} is no object")
    hints = _hints(kind)  # type: ignore[arg-type]  # a class can be hashed
    given = {name: _value(hint, value[name], f"{path}.{name}".lstrip(".")) for name, hint in hints.items()
             if name in value}  # fmt: skip
    try:
        return kind(**given)
    except TypeError as error:
        missing = ", ".join(name for name in hints if name not in given)
        raise BadResults(f"{path or 'the document'} lacks {missing}") from error


def _value(hint: Any, value: Any, path: str) -> Any:
    """A value of the form that a field asks for."""
    if get_origin(hint) in (Union, types.UnionType):
        return None if value is None else _value(get_args(hint)[0], value, path)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise BadResults(f"{path} is no list")
        return tuple(_value(get_args(hint)[0], one, f"{path}[{index}]") for index, one in enumerate(value))
    if get_origin(hint) is Mapping:
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise BadResults(f"{path} is no object of texts")
        return value
    if dataclasses.is_dataclass(hint):
        return _record(hint, value, path)  # type: ignore[arg-type]  # the hint of a field is a class
    accepted = (int, float) if hint is float else hint
    if not isinstance(value, accepted) or (isinstance(value, bool) and hint is not bool):
        raise BadResults(f"{path} is {value!a:.40}, and should be of the type {hint.__name__}")
    return value


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in dataclasses.fields(kind)}
