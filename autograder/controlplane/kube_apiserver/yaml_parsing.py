"""YAML bodies, read as Go reads them: what a plain scalar means, what may be a key, and what is said of mistakes.

Hostile documents (deep, full of aliases) are refused before they cost much.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

import yaml

from autograder.controlplane.kube_apiserver.parsing import DEPTH_LIMIT
from autograder.controlplane.kube_apiserver.unreadable import Unreadable
from autograder.manifests import scalars

#: Values in a document, aliases counted as often as they stand; JSON is bounded by its bytes.
VALUE_LIMIT: Final = 200_000
_INFINITE: Final = {math.inf: "+Inf", -math.inf: "-Inf"}


def parse(text: str) -> Any:
    """The document as JSON would have it; ``Unreadable`` for what is no YAML, or cannot be JSON."""
    loader = _loader()
    try:
        _bound_depth(yaml.parse(text, Loader=loader))
        value = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(f"yaml: {_words(error)}") from error
    budget = iter(range(VALUE_LIMIT))
    try:
        return _as_json(value, budget)
    except (StopIteration, RecursionError) as error:
        raise Unreadable("yaml: document contains excessive aliasing") from error


@cache
def _loader() -> Any:
    """A loader that reads plain scalars as Go does (``y`` is true, ``12:30`` text), and tags that it does not know."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    plain = "plain"

    class Loader(base):  # type: ignore[misc]
        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is yaml.ScalarNode and implicit[0] and value != "<<":
                return plain
            return super().resolve(kind, value, implicit)

        def construct_undefined(self, node: Any) -> Any:
            if isinstance(node, yaml.ScalarNode):
                return self.construct_scalar(node)
            if isinstance(node, yaml.SequenceNode):
                return self.construct_sequence(node, deep=True)
            return self.construct_mapping(node, deep=True)

    Loader.add_constructor(plain, lambda _, node: scalars.resolve(node.value))
    Loader.add_constructor(None, Loader.construct_undefined)
    return Loader


def _words(error: Exception) -> str:
    """What Go says of the same mistake: its parser counts lines from 0, its scanner from 1, and 0 is left out."""
    problem = getattr(error, "problem", None)
    if problem is None:
        return str(error)
    marks = (getattr(error, "context_mark", None), getattr(error, "problem_mark", None))
    line = next((mark.line for mark in marks if mark and mark.line), 0)
    return f"line {line + (type(error).__name__ == 'ScannerError')}: {problem}" if line else problem


def _bound_depth(events: Iterable[Any]) -> None:
    """Raise ``RecursionError`` for a document that is nested too deeply: the loader in C would overflow its stack."""
    depth = 0
    for event in events:
        name = type(event).__name__
        depth += name.endswith("StartEvent") - name.endswith("EndEvent")
        if depth > DEPTH_LIMIT:
            raise RecursionError("exceeded max depth")


def _as_json(value: Any, budget: Iterator[int]) -> Any:
    """YAML's values as JSON has them: keys are strings, dates are text."""
    next(budget)
    if isinstance(value, dict):
        return {_key(key, one): _as_json(one, budget) for key, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        copied = []
        for one in value:
            copied.append(_as_json(one, budget))
        return copied
    if isinstance(value, float) and not math.isfinite(value):
        raise Unreadable(f"json: unsupported value: {_INFINITE.get(value, 'NaN')}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return scalars.as_json_number(value)
    return value if value is None or isinstance(value, (str, bool)) else str(value)


def _key(key: Any, value: Any) -> str:
    """The name of the field that a key of YAML stands for."""
    text = scalars.key_text(key)
    if text is None:
        shown = ("%!s(<nil>)", "<nil>") if key is None else (type(key).__name__, str(key))
        told = json.dumps(value, default=str)
        raise Unreadable(f"unsupported map key of type: {shown[0]}, key: {shown[1]}, value: {told}")
    return text
