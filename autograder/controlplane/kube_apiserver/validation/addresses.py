"""IP addresses and address blocks as Kubernetes reads them.

Reading is lenient as in old releases of Go (leading zeros in IPv4), the rules for new values are strict: what is
accepted but means different things to different programs is refused (KEP-4858).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from autograder.controlplane.apimachinery.field import FieldError, Path, invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_LINK_LOCAL_V4, _LINK_LOCAL_V6 = IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10")
_LINK_LOCAL_MULTICAST_V4 = IPv4Network("224.0.0.0/24")

BAD_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
BAD_NETWORK = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """An address and how it was spelled; an IPv4-mapped IPv6 address counts as the IPv4 address in it."""

    value: Address
    leading_zeros: bool
    mapped: bool


@lru_cache(maxsize=1024)
def parse_address(text: str) -> ParsedAddress | None:
    """The address that ``text`` spells, or None."""
    plain, leading_zeros = _without_leading_zeros(text)
    try:
        if ":" not in plain:
            return ParsedAddress(IPv4Address(plain), leading_zeros, False)
        if "%" in plain:
            return None
        wide = IPv6Address(plain)
    except AddressValueError:
        return None
    mapped = wide.ipv4_mapped
    return ParsedAddress(mapped or wide, leading_zeros, mapped is not None)


def _without_leading_zeros(text: str) -> tuple[str, bool]:
    """The text with the dotted part of it in plain decimal, and whether that changed anything."""
    head, colon, tail = text.rpartition(":")
    if not _DOTTED.fullmatch(tail) or len(tail) > 64:
        return text, False
    plain = ".".join(str(int(part)) for part in tail.split("."))
    return head + colon + plain, plain != tail


def family_of(text: str) -> str:
    """``IPv4`` or ``IPv6``, or ``""`` if ``text`` is no address."""
    parsed = parse_address(text)
    return f"IPv{parsed.value.version}" if parsed else ""


def validate_address(text: str, path: Path, accepted_before: Collection[str] = ()) -> Iterator[FieldError]:
    """The rule for fields that once took lenient spellings; values that an old object had stay allowed."""
    if text in accepted_before:
        return
    parsed = parse_address(text)
    if parsed is None:
        yield invalid(path, text, BAD_ADDRESS)
    elif parsed.leading_zeros:
        yield invalid(path, text, "must not have leading 0s")
    elif parsed.mapped:
        yield invalid(path, text, "must not be an IPv4-mapped IPv6 address")


def validate_canonical_address(text: str, path: Path) -> Iterator[FieldError]:
    """The rule for newer fields: one spelling for each address."""
    errors = list(validate_address(text, path))
    yield from errors
    parsed = parse_address(text)
    if parsed and not errors and text != str(parsed.value):
        yield invalid(path, text, f'must be in canonical form ("{parsed.value}")')


def validate_endpoint_address(text: str, path: Path) -> Iterator[FieldError]:
    """Endpoints and external IPs may not be addresses that mean another machine on each node."""
    parsed = parse_address(text)
    if parsed is None:
        yield invalid(path, text, "must be a valid IP address")
        return
    address = parsed.value
    if address.is_unspecified:
        yield invalid(path, text, f"may not be unspecified ({text})")
    if address.is_loopback:
        yield invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address in (_LINK_LOCAL_V4 if address.version == 4 else _LINK_LOCAL_V6):
        yield invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if _is_link_local_multicast(address):
        yield invalid(path, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def _is_link_local_multicast(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address in _LINK_LOCAL_MULTICAST_V4
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


@dataclass(frozen=True, slots=True)
class ParsedNetwork:
    """An address block and how it was spelled."""

    value: Network
    leading_zeros: bool
    mapped: bool
    host_bits: bool


def parse_network(text: str) -> ParsedNetwork | None:
    """The block that ``text`` (CIDR notation) spells, or None."""
    address_text, slash, length_text = text.partition("/")
    address = parse_address(address_text)
    if not slash or address is None or not re.fullmatch(r"[0-9]{1,8}", length_text):
        return None
    plain, _ = _without_leading_zeros(address_text)
    try:
        network = ip_network(f"{plain}/{int(length_text)}", strict=False)
    except ValueError:
        return None
    leading_zeros = address.leading_zeros or length_text != str(int(length_text))
    own = IPv6Address(plain) if network.version == 6 else address.value
    return ParsedNetwork(network, leading_zeros, address.mapped, own != network.network_address)


def validate_network(text: str, path: Path, accepted_before: Collection[str] = ()) -> Iterator[FieldError]:
    """The rule for CIDR fields that once took lenient spellings; values that an old object had stay allowed."""
    if text in accepted_before:
        return
    parsed = parse_network(text)
    if parsed is None:
        yield invalid(path, text, BAD_NETWORK)
    elif parsed.leading_zeros:
        yield invalid(path, text, "must not have leading 0s in IP or prefix length")
    elif parsed.mapped:
        yield invalid(path, text, "must not have an IPv4-mapped IPv6 address")
    elif parsed.host_bits:
        yield invalid(path, text, "must not have bits set beyond the prefix length")
