"""Small rules that the fields of many kinds share; each yields the errors of one value at one path."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.field import FieldError, Path, invalid, not_supported, required
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import NOT_NEGATIVE
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.names import NameCheck

PROTOCOLS = ("SCTP", "TCP", "UDP")
_ZERO = quantity.parse("0")


def required_name(value: str, path: Path, check: NameCheck) -> Iterator[FieldError]:
    """A name that must be there and have a form."""
    if value:
        yield from malformed(path, value, check(value))
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


def not_negative_quantity(text: str, path: Path) -> Iterator[FieldError]:
    """An amount of a resource."""
    if quantity.parse(text) < _ZERO:
        yield invalid(path, text, NOT_NEGATIVE)


def positive_quantity(text: str, path: Path, words: str = "must be greater than zero") -> Iterator[FieldError]:
    """An amount of a resource, more than nothing."""
    if quantity.parse(text) <= _ZERO:
        yield invalid(path, text, words)


def port_number(port: int, path: Path) -> Iterator[FieldError]:
    """A TCP or UDP port."""
    return malformed(path, port, names.port_number(port))


def port_number_or_name(port: int | str, path: Path) -> Iterator[FieldError]:
    """A port's number, or the name that a container gives it."""
    return malformed(path, port, names.port_name(port) if isinstance(port, str) else names.port_number(port))


def protocol(value: str, path: Path) -> Iterator[FieldError]:
    """TCP, UDP or SCTP, and not left out."""
    return required_one_of(value, path, PROTOCOLS)
