"""TLS for one run of the server: a certificate authority made on the spot, and certificates by it.

The authority's key never leaves the process; with it go the certificates by which users show who they are.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Generous on both sides, for clocks that are wrong and servers that are forgotten.
_BEFORE: Final = timedelta(days=2)
_AFTER: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the server shows, and what a client checks it by; all as PEM.  ``signer`` is the authority's key."""

    authority: bytes
    certificate: bytes
    key: bytes
    signer: ec.EllipticCurvePrivateKey

    def client(self, user: str, groups: Sequence[str] = ()) -> tuple[bytes, bytes]:
        """A certificate that makes its owner a user and a member of groups, and the key of it."""
        organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])
        return _issued(self.authority, self.signer, subject, ExtendedKeyUsageOID.CLIENT_AUTH)

    def server(self, names: Sequence[str]) -> tuple[bytes, bytes]:
        """A certificate for one more server of these host names and IP addresses, and the key of it."""
        return _issued(self.authority, self.signer, _name(names[0]), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def server_context(self) -> ssl.SSLContext:
        """The TLS settings of a server with this certificate, which lets clients show one of theirs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_verify_locations(cadata=self.authority.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        with tempfile.TemporaryDirectory() as folder:  # the ssl module reads keys from files only
            path = Path(folder, "server.pem")  # in a folder that is the owner's alone
            path.write_bytes(self.certificate + self.key)
            context.load_cert_chain(path)
        return context


def issue(names: Sequence[str]) -> Certificates:
    """New certificates for host names and IP addresses."""
    signer = ec.generate_private_key(ec.SECP256R1())
    name = _name("autograder-embedded-ca")
    authority = (
        _builder(name, name, signer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    server = _issued(authority, signer, _name("kube-apiserver"), ExtendedKeyUsageOID.SERVER_AUTH, names)
    return Certificates(authority, *server, signer=signer)


def _issued(
    authority: bytes, signer: ec.EllipticCurvePrivateKey, subject: x509.Name, usage: x509.ObjectIdentifier,
    names: Sequence[str] = (),
) -> tuple[bytes, bytes]:  # fmt: skip
    """A certificate by an authority, and the key of it; ``names`` are those of a server."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(subject, x509.load_pem_x509_certificate(authority).subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _AFTER)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
