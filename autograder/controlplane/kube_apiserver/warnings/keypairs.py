"""Whether a certificate and its private key are what they should be, in the words of Go's ``tls.X509KeyPair``.

Told are texts without PEM blocks, with the wrong ones, and blocks that hold no DER at all.  Whether a key that can be
read is that of a certificate that can be read is not looked into: that takes cryptography, which the core has not.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

_BLOCK: Final = re.compile(
    rb"^-----BEGIN (?P<type>[^\n]*)-----[ \t]*\r?\n(?P<headers>(?:[^\n:-]+:[^\n]*\n)*+)"
    rb"(?P<body>(?:(?!-----BEGIN )[^\n]*\n)*?)-----END (?P=type)-----[ \t\r]*$",
    re.MULTILINE,
)
#: Blanks that may stand between the characters of a block.
_BLANKS: Final = b" \t\r\n"
_SEQUENCE: Final = 0x30


def problem(certificate: bytes, key: bytes) -> str:
    """What is wrong with a pair of PEM texts, or nothing."""
    certificates = list(_blocks(certificate))
    leaf = next((der for kind, der in certificates if kind == "CERTIFICATE"), None)
    if leaf is None:
        return _no_certificate([kind for kind, _ in certificates])
    keys = list(_blocks(key))
    private = next((der for kind, der in keys if _is_key(kind)), None)
    if private is None:
        return _no_key([kind for kind, _ in keys])
    if not _is_sequence(leaf):
        return "x509: malformed certificate"
    return "" if _is_sequence(private) else "tls: failed to parse private key"


def _no_certificate(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in certificate input"
    if len(skipped) == 1 and skipped[0].endswith("PRIVATE KEY"):
        switched = "but did find a private key; PEM inputs may have been switched"
        return f"tls: failed to find certificate PEM data in certificate input, {switched}"
    found = f"after skipping PEM blocks of the following types: [{' '.join(skipped)}]"
    return f'tls: failed to find "CERTIFICATE" PEM block in certificate input {found}'


def _no_key(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in key input"
    if skipped == ["CERTIFICATE"]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    found = f"after skipping PEM blocks of the following types: [{' '.join(skipped)}]"
    return f'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input {found}'


def _is_key(kind: str) -> bool:
    return kind == "PRIVATE KEY" or kind.endswith(" PRIVATE KEY")


def _blocks(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The type and content of each block that can be read."""
    for found in _BLOCK.finditer(text):
        try:
            content = base64.b64decode(found["body"].translate(None, _BLANKS), validate=True)
        except binascii.Error:
            continue
        yield found["type"].decode("utf-8", "replace"), content


def _is_sequence(der: bytes) -> bool:
    """Whether bytes are one ASN.1 sequence from the first to the last."""
    if len(der) < 2 or der[0] != _SEQUENCE:
        return False
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    return start + length == len(der)
