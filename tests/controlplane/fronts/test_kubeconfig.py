"""The kubeconfig and the certificates behind it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from autograder.controlplane.fronts import certificates, kubeconfig


def test_a_kubeconfig_has_all_that_a_client_needs(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config"
    kubeconfig.write(path, kubeconfig.document("https://127.0.0.1:1", "secret", b"PEM"))
    config = yaml.safe_load(path.read_text())
    assert config["current-context"] == "embedded"
    assert config["contexts"] == [{"name": "embedded", "context": {"cluster": "embedded", "user": "admin"}}]
    assert config["users"][0]["user"] == {"token": "secret"}
    assert base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]) == b"PEM"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_kubeconfig_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("old")
    path.chmod(0o644)
    kubeconfig.write(path, kubeconfig.document("https://127.0.0.1:1", "secret", None))
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_certificate_is_for_all_names_and_by_its_authority() -> None:
    issued = certificates.issue(["127.0.0.1", "localhost"])
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issued.authority))


def test_no_two_runs_have_the_same_key() -> None:
    assert certificates.issue(["localhost"]).key != certificates.issue(["localhost"]).key
