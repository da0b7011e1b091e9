"""Amounts of bytes that are not whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.field import Path, quoted


def of_whole_bytes(amounts: Mapping[str, str] | None, path: Path, resource: str) -> Iterator[str]:
    """What is said of the amount of one resource, if it is no whole number."""
    text = (amounts or {}).get(resource)
    if text and quantity.parse(text).milli_value % 1000:
        shown = quoted(quantity.canonical(text))
        yield f"{path.key(resource)}: fractional byte value {shown} is invalid, must be an integer"
