"""Comparing by meaning: ``0.5`` CPU is ``500m``, ``nginx`` is ``docker.io/library/nginx:latest``.

What a field holds is never compared as text or by its position, only by what Kubernetes does with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.images import parse_image
from autograder.controlplane.apimachinery.quantity import Quantity, QuantityError, parse


def as_quantity(value: Any) -> Quantity | None:
    """The quantity that a value of the API means, or None if it means none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return parse(str(value))
    except QuantityError:
        return None


def same_image(one: Any, other: str) -> bool:
    """Whether two names are of the same image, registry, tag and all."""
    parsed = parse_image(one) if isinstance(one, str) else None
    return parsed is not None and parsed == parse_image(other)


def selector_matches(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a selector selects these labels: a LabelSelector, or the plain map that a Service has."""
    if not isinstance(selector, Mapping):
        return False
    if selector.keys() <= {"matchLabels", "matchExpressions"}:
        return selectors.of_object(selector).matches(labels)
    return selectors.of_map(selector).matches(labels)


def shown(value: Any) -> str:
    """A value as the messages quote it: short, on one line, as YAML would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {shown(entry)}" for key, entry in value.items()) or "{}"
    if isinstance(value, list | tuple | set | frozenset):
        entries = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return ", ".join(shown(entry) for entry in entries) or "an empty list"
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."
