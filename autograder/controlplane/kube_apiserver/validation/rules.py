"""Small rules that the fields of many kinds share; each yields the errors of one value at one path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.field import FieldError, Path, invalid, not_supported, required
from autograder.controlplane.kube_apiserver.validation import names

PROTOCOLS = ("SCTP", "TCP", "UDP")
INTEGER_RANGE = "must be greater than or equal to 0"


def well_formed(value: Any, path: Path, problems: Iterable[str]) -> Iterator[FieldError]:
    """One error for each thing that a rule about spelling found wrong."""
    return (invalid(path, value, problem) for problem in problems)


def required_name(value: str, path: Path, rule: Callable[[str], Iterable[str]]) -> Iterator[FieldError]:
    """A name that must be there and obey ``rule``."""
    if value:
        yield from well_formed(value, path, rule(value))
    else:
        yield required(path)


def one_of(value: str, path: Path, supported: Collection[str]) -> Iterator[FieldError]:
    """A value of an enumeration; the empty text is no value of it."""
    if value not in supported:
        yield not_supported(path, value, supported)


def required_one_of(value: str, path: Path, supported: Collection[str]) -> Iterator[FieldError]:
    """A value of an enumeration that must be given."""
    if value:
        yield from one_of(value, path, supported)
    else:
        yield required(path)


def non_negative(value: int, path: Path) -> Iterator[FieldError]:
    """A count."""
    if value < 0:
        yield invalid(path, value, INTEGER_RANGE)


def non_negative_quantity(text: str, path: Path) -> Iterator[FieldError]:
    """An amount of a resource."""
    if quantity.parse(text) < quantity.parse("0"):
        yield invalid(path, text, INTEGER_RANGE)


def positive_quantity(text: str, path: Path) -> Iterator[FieldError]:
    """An amount of a resource, more than nothing."""
    if quantity.parse(text) <= quantity.parse("0"):
        yield invalid(path, text, "must be greater than zero")


def qualified_name(value: str, path: Path) -> Iterator[FieldError]:
    """A label key: an optional domain, ``/`` and a name."""
    return well_formed(value, path, names.qualified_name(value))


def port_number(port: int, path: Path) -> Iterator[FieldError]:
    """A TCP or UDP port."""
    return well_formed(port, path, names.port_number(port))


def port_number_or_name(port: int | str, path: Path) -> Iterator[FieldError]:
    """A port's number, or the name that a container gives it."""
    return well_formed(port, path, names.port_name(port) if isinstance(port, str) else names.port_number(port))


def protocol(value: str, path: Path) -> Iterator[FieldError]:
    """TCP, UDP or SCTP, and not left out."""
    return required_one_of(value, path, PROTOCOLS)


def unchanged(new: Any, old: Any, path: Path) -> Iterator[FieldError]:
    """A field that keeps the value that it was created with."""
    if new != old:
        yield invalid(path, new, "field is immutable")
