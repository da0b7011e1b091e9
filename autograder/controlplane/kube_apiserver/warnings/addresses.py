"""Addresses and address blocks that are accepted although they are not spelt as they should be (KEP-4858)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from autograder.controlplane.apimachinery.field import Path, quoted
from autograder.controlplane.kube_apiserver.validation.addresses import parse_address, parse_network


def of_address(text: str, path: Path) -> Iterator[str]:
    """What is said of an address."""
    parsed = parse_address(text)
    if parsed is None:
        return
    standard = quoted(spelt(parsed.value))
    if parsed.leading_zeros or parsed.mapped:
        yield f"{path}: non-standard IP address {quoted(text)} is invalid: use {standard}"
    elif parsed.value.version == 6 and spelt(parsed.value) != text:
        yield f"{path}: IPv6 address {quoted(text)} should be in RFC 5952 canonical format ({standard})"


def of_network(text: str, path: Path) -> Iterator[str]:
    """What is said of an address block in CIDR notation."""
    parsed = parse_network(text)
    address = parse_address(text.partition("/")[0])
    if parsed is None or address is None:
        return
    network = parsed.value
    standard = quoted(f"{spelt(network.network_address)}/{network.prefixlen}")
    if parsed.host_bits:
        alone = quoted(f"{spelt(address.value)}/{network.max_prefixlen}")
        yield f"{path}: CIDR value {quoted(text)} is ambiguous in this context (should be {standard} or {alone}?)"
    if parsed.leading_zeros or parsed.mapped:
        yield f"{path}: non-standard CIDR value {quoted(text)} is invalid: use {standard}"
    elif isinstance(network, IPv6Network) and not parsed.host_bits and quoted(text) != standard:
        yield f"{path}: IPv6 CIDR value {quoted(text)} should be in RFC 5952 canonical format ({standard})"


def spelt(address: IPv4Address | IPv6Address) -> str:
    """An address as Go writes it."""
    return str(address)
