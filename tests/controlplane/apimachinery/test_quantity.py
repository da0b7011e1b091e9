"""Quantities come back in the spelling that Kubernetes gives them, compare by value, and cost little when hostile."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery.quantity import Format, Quantity, QuantityError, canonical, parse


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        ("0.5", "500m"),
        ("0.1", "100m"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1000Mi", "1000Mi"),
        ("1023Ki", "1023Ki"),
        ("0.5Mi", "512Ki"),
        ("1.1Gi", "1181116006400m"),
        ("1e3", "1e3"),
        ("12e6", "12e6"),
        ("0.0001", "100u"),
        ("1e-12", "1e-9"),
        ("0", "0"),
        ("-0", "0"),
        ("0Mi", "0"),
        (".5", "500m"),
        ("-250m", "-250m"),
    ],
)
def test_the_canonical_spelling(given: str, spelt: str) -> None:
    assert canonical(given) == spelt
    assert canonical(spelt) == spelt


@pytest.mark.parametrize("text", ["1.500", "+5", "0100m", "5."])
def test_short_numbers_that_look_canonical_keep_their_spelling(text: str) -> None:
    assert canonical(text) == text


@pytest.mark.parametrize("text", ["", "abc", "1 Gi", "1..", "1x", "1Gi\n", "１"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(QuantityError, match="quantities must match the regular expression"):
        parse(text)


@pytest.mark.parametrize("text", ["1iK", "1e", "--1", "1e99999999999"])
def test_what_has_no_suffix_of_quantities(text: str) -> None:
    with pytest.raises(QuantityError, match="unable to parse quantity's suffix"):
        parse(text)


@pytest.mark.parametrize(
    ("less", "more"), [("100m", "1"), ("999Mi", "1Gi"), ("1G", "1Gi"), ("-1", "0"), ("1n", "1u"), ("1", "1e999999999")]
)
def test_order_is_by_value(less: str, more: str) -> None:
    assert parse(less) < parse(more)
    assert parse(more) > parse(less)


def test_equal_values_are_equal_in_any_spelling() -> None:
    assert parse("1Gi") == parse("1073741824") == parse("1048576Ki")
    assert len({parse("1"), parse("1000m")}) == 1


@pytest.mark.parametrize(
    ("text", "whole", "milli"), [("100m", 1, 100), ("1500m", 2, 1500), ("-1500m", -2, -1500), ("100u", 1, 1)]
)
def test_parts_are_rounded_away_from_zero(text: str, whole: int, milli: int) -> None:
    assert (parse(text).value, parse(text).milli_value) == (whole, milli)


@pytest.mark.parametrize(
    ("one", "other", "total"),
    [("100m", "900m", "1"), ("1Gi", "512Mi", "1536Mi"), ("0", "1Mi", "1Mi"), ("1", "1Gi", "1073741825")],
)
def test_sums_keep_the_first_family_of_suffixes(one: str, other: str, total: str) -> None:
    assert str(parse(one) + parse(other)) == total


def test_differences() -> None:
    assert str(parse("2Gi") - parse("512Mi")) == "1536Mi"
    assert not parse("5m") - parse("5m")


def test_binary_quantities_end_at_the_greatest_int64() -> None:
    assert parse("100Ei").value == 2**63 - 1


def test_a_number_becomes_a_quantity() -> None:
    assert str(Quantity.of(1500, -3)) == "1500m"
    assert str(Quantity.of(1 << 30, format=Format.BINARY_SI)) == "1Gi"
