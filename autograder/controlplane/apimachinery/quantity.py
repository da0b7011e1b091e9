"""Quantities of resources: ``500m`` CPU, ``1Gi`` memory; read, compared, added and written as Kubernetes does.

A quantity is an exact decimal number and the family of suffixes that it was written in. Nothing finer than a
billionth is kept (it is rounded up), and the text that comes out is canonical: ``0.5`` is ``500m``, ``1024Mi`` is
``1Gi``. Source: apimachinery/pkg/api/resource.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final


class QuantityError(ValueError):
    """The text is not a quantity; the message is the one that Kubernetes gives."""


class Format(Enum):
    """The family of suffixes that a quantity is written in."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


NANO: Final = -9
MILLI: Final = -3
MAX_BINARY: Final = 2**63 - 1
#: No power of ten beyond this is ever computed, so that ``1e999999999`` costs nothing.
LARGEST_EXPONENT: Final = 1000

WRONG_FORM: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_SUFFIX: Final = "unable to parse quantity's suffix"

DECIMAL_SUFFIXES: Final = {
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
}  # fmt: skip
BINARY_SUFFIXES: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_BY_EXPONENT: Final = {exponent: suffix for suffix, exponent in DECIMAL_SUFFIXES.items()}
_BINARY_BY_EXPONENT: Final = {exponent: suffix for suffix, exponent in BINARY_SUFFIXES.items()}
_PARTS: Final = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_EXPONENT: Final = re.compile(r"[eE]([+-]?[0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """The number ``unscaled * 10**scale``; ``text`` is how it is written. Make one by ``parse``."""

    unscaled: int
    scale: int
    format: Format
    text: str

    @classmethod
    def of(cls, unscaled: int, scale: int = 0, format: Format = Format.DECIMAL_SI) -> Quantity:
        """The quantity of a number, written in the canonical way."""
        return cls(unscaled, scale, format, _canonical(unscaled, scale, format))

    def __str__(self) -> str:
        return self.text

    def __bool__(self) -> bool:
        return self.unscaled != 0

    def at_scale(self, scale: int) -> int:
        """The number in units of ``10**scale``, rounded away from zero; ``at_scale(-3)`` gives milli-units."""
        shift = min(self.scale - scale, LARGEST_EXPONENT)
        return self.unscaled * 10**shift if shift >= 0 else _divide_up(self.unscaled, -shift)

    @property
    def value(self) -> int:
        """The number rounded up to a whole one (away from zero)."""
        return self.at_scale(0)

    @property
    def milli_value(self) -> int:
        """The number in thousandths, rounded up (away from zero)."""
        return self.at_scale(MILLI)

    def rounded_up(self, scale: int) -> Quantity:
        """This quantity without digits finer than ``10**scale``."""
        return self if self.scale >= scale else Quantity.of(self.at_scale(scale), scale, self.format)

    def __add__(self, other: Quantity) -> Quantity:
        scale = min(self.scale, other.scale)
        format = self.format if self.unscaled else other.format
        return Quantity.of(self.at_scale(scale) + other.at_scale(scale), scale, format)

    def __sub__(self, other: Quantity) -> Quantity:
        return self + -other

    def __neg__(self) -> Quantity:
        return Quantity.of(-self.unscaled, self.scale, self.format)

    def compare(self, other: Quantity) -> int:
        """Negative, zero or positive as this is less than, equal to or more than the other."""
        scale = min(self.scale, other.scale)
        return self.at_scale(scale) - other.at_scale(scale)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.compare(other) == 0

    def __lt__(self, other: Quantity) -> bool:
        return self.compare(other) < 0

    def __le__(self, other: Quantity) -> bool:
        return self.compare(other) <= 0

    def __gt__(self, other: Quantity) -> bool:
        return self.compare(other) > 0

    def __ge__(self, other: Quantity) -> bool:
        return self.compare(other) >= 0

    def __hash__(self) -> int:
        return hash(self.at_scale(NANO))


@lru_cache(maxsize=4096)
def parse(text: str) -> Quantity:
    """The quantity that ``text`` spells; raises ``QuantityError`` with Kubernetes' words."""
    parts = _PARTS.fullmatch(text)
    if not text or parts is None:
        raise QuantityError(WRONG_FORM)
    sign, whole, fraction, suffix = parts[1], parts[2] or "0", parts[3] or "", parts[4]
    format, exponent = _interpret(suffix)
    digits = whole + fraction
    try:
        unscaled = int(digits)
    except ValueError as error:  # more digits than Python converts
        raise QuantityError("unable to parse numeric part of quantity") from error
    if _is_canonical(digits, len(fraction), format, exponent):
        signed = -unscaled if sign == "-" else unscaled
        if format is Format.BINARY_SI:
            return Quantity(signed << exponent, 0, format, text)
        return Quantity(signed, exponent - len(fraction), format, text)
    scale = -len(fraction)
    if format is Format.BINARY_SI:
        unscaled <<= exponent
    else:
        scale += exponent
    if scale < NANO:
        unscaled, scale = _divide_up(unscaled, NANO - scale), NANO
    if format is Format.BINARY_SI:
        if unscaled > MAX_BINARY * 10**-scale:
            unscaled, scale = MAX_BINARY, 0
        if 0 < unscaled < 10**-scale:
            format = Format.DECIMAL_SI
    return Quantity.of(-unscaled if sign == "-" else unscaled, scale, format)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The text that Kubernetes gives back for ``text``; raises ``QuantityError``."""
    return parse(text).text


def _interpret(suffix: str) -> tuple[Format, int]:
    """The family that a suffix belongs to, and its power of ten (or of two)."""
    if suffix in DECIMAL_SUFFIXES:
        return Format.DECIMAL_SI, DECIMAL_SUFFIXES[suffix]
    if suffix in BINARY_SUFFIXES:
        return Format.BINARY_SI, BINARY_SUFFIXES[suffix]
    exponent = _EXPONENT.fullmatch(suffix)
    if exponent is None or len(exponent[1]) > 10:
        raise QuantityError(WRONG_SUFFIX)
    return Format.DECIMAL_EXPONENT, int(exponent[1])


def _is_canonical(digits: str, places: int, format: Format, exponent: int) -> bool:
    """Whether Kubernetes keeps the text as it was written: short numbers in a form that looks canonical to it."""
    if format is Format.BINARY_SI:
        short = 14 - len(digits) - exponent * 3 // 10 >= 0
        return short and places == 0 and int(digits) % 8 != 0
    scale = exponent - places
    short = len(digits) <= 18 and scale >= NANO
    return short and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _divide_up(number: int, places: int) -> int:
    """``number / 10**places`` rounded away from zero."""
    if places > LARGEST_EXPONENT:
        return (number > 0) - (number < 0)
    quotient = -(-abs(number) // int(10**places))
    return quotient if number >= 0 else -quotient


def _canonical(unscaled: int, scale: int, format: Format) -> str:
    if unscaled == 0:
        return "0"
    if format is Format.BINARY_SI:
        whole, rest = divmod(abs(unscaled), 10 ** -min(scale, 0))
        whole *= 10 ** max(scale, 0)
        if rest == 0 and whole >= 1024:
            exponent = 0
            while whole % 1024 == 0:
                whole //= 1024
                exponent += 10
            return f"{'-' * (unscaled < 0)}{whole}{_BINARY_BY_EXPONENT.get(exponent, '')}"
        format = Format.DECIMAL_SI
    while unscaled % 10 == 0:
        unscaled //= 10
        scale += 1
    places = scale % 3
    unscaled, scale = unscaled * 10**places, scale - places
    if format is Format.DECIMAL_SI:
        return f"{unscaled}{_DECIMAL_BY_EXPONENT.get(scale, '')}"
    return f"{unscaled}e{scale}" if scale else str(unscaled)
