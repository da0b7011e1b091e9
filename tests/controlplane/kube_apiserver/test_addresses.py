"""How IP addresses and blocks are read, and which spellings are refused."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.kube_apiserver.validation import addresses


def said(rule, text):
    """The details of the errors about one text."""
    return [error.detail for error in rule(text, Path("ip"))]


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("10.9.8.7", "IPv4"), ("010.009.008.007", "IPv4"), ("::ffff:10.9.8.7", "IPv4"), ("2001:DB8::1", "IPv6"),
        ("fe80::1%eth0", ""), ("10.9.8", ""), ("10.9.8.256", ""), ("", ""), ("10.9.8.7/32", ""), ("1::2::3", ""),
    ],
)  # fmt: skip
def test_the_family_of_an_address(text, family):
    assert addresses.family_of(text) == family


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.9.8.7", []),
        ("2001:DB8::1", []),
        ("10.9.8.07", ["must not have leading 0s"]),
        ("::ffff:10.9.8.7", ["must not be an IPv4-mapped IPv6 address"]),
        ("host", [addresses.BAD_ADDRESS]),
    ],
)
def test_an_address_must_mean_the_same_to_every_program(text, expected):
    assert said(addresses.validate_address, text) == expected


def test_values_that_were_there_before_stay_allowed():
    assert list(addresses.validate_address("host", Path("ip"), accepted_before=["host"])) == []


def test_newer_fields_take_one_spelling_only():
    assert said(addresses.validate_canonical_address, "2001:DB8::1") == ['must be in canonical form ("2001:db8::1")']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0", ["may not be unspecified (0.0.0.0)"]),
        ("169.254.1.1", ["may not be in the link-local range (169.254.0.0/16, fe80::/10)"]),
        ("224.0.0.1", ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"]),
        ("ff02::1", ["may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"]),
        ("10.0.0.1", []),
    ],
)
def test_endpoints_may_not_be_addresses_of_every_machine(text, expected):
    assert said(addresses.validate_endpoint_address, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0/8", []),
        ("2001:db8::/64", []),
        ("10.0.0.1/8", ["must not have bits set beyond the prefix length"]),
        ("10.0.0.0/08", ["must not have leading 0s in IP or prefix length"]),
        ("::ffff:10.0.0.0/104", ["must not have an IPv4-mapped IPv6 address"]),
        ("10.0.0.0", [addresses.BAD_NETWORK]),
        ("10.0.0.0/33", [addresses.BAD_NETWORK]),
        ("10.0.0.0/-1", [addresses.BAD_NETWORK]),
    ],
)
def test_blocks(text, expected):
    assert said(addresses.validate_network, text) == expected
