"""Integers are read and refused as Go's strconv does."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery import integers


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("+7", 7),
        ("-12", -12),
        ("000", 0),
        ("0" * 5000 + "5", 5),
        (str(2**63 - 1), 2**63 - 1),
        (str(-(2**63)), -(2**63)),
    ],
)
def test_64_bits_are_read(text: str, number: int) -> None:
    assert integers.parse(text) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((text, "invalid syntax") for text in ("", "-", "+-1", "1.0", "1_0", " 1", "ten", "٣")),
        *((text, "value out of range") for text in (str(2**63), str(-(2**63) - 1), "9" * 20, "-" + "9" * 5000)),
    ],
)
def test_other_texts_are_refused_in_the_words_of_go(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^strconv.ParseInt: parsing .*: {why}$"):
        integers.parse(text)
    assert integers.read(text) is None


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), (str(2**64 - 1), 2**64 - 1)])
def test_integers_without_a_sign_are_twice_as_large(text: str, number: int) -> None:
    assert integers.parse_unsigned(text) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((text, "invalid syntax") for text in ("", "+1", "-1", "ten", "²")),
        *((text, "value out of range") for text in (str(2**64), "1" + "0" * 20, "9" * 5000)),
    ],
)
def test_integers_without_a_sign_are_refused_likewise(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^strconv.ParseUint: parsing .*: {why}$"):
        integers.parse_unsigned(text)


@pytest.mark.parametrize(
    ("text", "number"), [("-7", -7), ("9" * 5000, 2**63 - 1), ("-" + "9" * 5000, -(2**63)), ("ten", 0), ("", 0)]
)
def test_where_nobody_looks_at_the_error_the_nearest_integer_counts(text: str, number: int) -> None:
    assert integers.nearest(text) == number
