"""Which ConfigMaps, Secrets and ServiceAccounts are accepted, and what may change about them."""

from __future__ import annotations

import base64

import pytest


def config_map(**fields):
    """A ConfigMap with some fields."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "dev"}, **fields}


def secret(**fields):
    """A Secret with some fields."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "dev"}, **fields}


def encoded(text):
    """The text as it stands in a Secret."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"data": {"app.properties": "a=1"}}, []),
        ({"data": {"a": "1"}, "binaryData": {"a": encoded("1")}}, [
            'data[a]: Invalid value: "a": duplicate of key present in binaryData',
        ]),
        ({"data": {"a/b": "1"}}, [
            'data[a/b]: Invalid value: "a/b": '
            'a valid config key must consist of alphanumeric characters, \'-\', \'_\' or '
            "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ]),
        ({"data": {"..": "1"}}, ["data[..]: Invalid value: \"..\": must not be '..'"]),
        ({"data": {"a": "x" * 1024 * 1024}, "binaryData": {"b": encoded("y")}}, [
            "[]: Too long: may not be more than 1048576 bytes",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_config_map(refusals, fields, expected):
    assert refusals(config_map(**fields)) == expected


@pytest.mark.parametrize("kind", [config_map, secret])
def test_what_is_immutable_stays_so(refusals_of_change, kind):
    before = kind(data={"a": encoded("1")}, immutable=True)
    sealed = "Forbidden: field is immutable when `immutable` is set"
    assert refusals_of_change(before, kind(data={"a": encoded("1")}, immutable=True)) == []
    assert refusals_of_change(before, kind(data={"a": encoded("1")})) == [f"immutable: {sealed}"]
    assert refusals_of_change(before, kind(data={"a": encoded("2")}, immutable=True)) == [f"data: {sealed}"]


def test_plain_text_of_a_secret_is_encoded_and_wins(completed):
    made = completed(secret(data={"user": encoded("old"), "b": ""}, stringData={"user": "new"}))
    assert made["data"] == {"user": encoded("new"), "b": ""}
    assert made["type"] == "Opaque"
    assert "stringData" not in made


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("mine", {}, []),
        ("kubernetes.io/tls", {"tls.crt": "", "tls.key": ""}, []),
        ("kubernetes.io/tls", {}, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        ("kubernetes.io/basic-auth", {"username": ""}, []),
        ("kubernetes.io/basic-auth", {}, ["data[username]: Required value", "data[password]: Required value"]),
        ("kubernetes.io/ssh-auth", {"ssh-privatekey": ""}, ["data[ssh-privatekey]: Required value"]),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": "{}"}, []),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": ""}, [
            'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": unexpected end of JSON input',
        ]),
        ("kubernetes.io/service-account-token", {}, [
            "metadata.annotations[kubernetes.io/service-account.name]: Required value",
        ]),
    ],
)  # fmt: skip
def test_secrets_of_a_known_type_have_its_keys(refusals, kind, data, expected):
    assert refusals(secret(type=kind, data={key: encoded(text) for key, text in data.items()})) == expected


def test_the_type_of_a_secret_stays(refusals_of_change):
    assert refusals_of_change(secret(), secret(type="mine")) == ['type: Invalid value: "mine": field is immutable']


def test_a_service_account_refers_to_secrets_by_name_only(completed):
    account = {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "dev"},
        "secrets": [{"name": "s", "namespace": "other", "kind": "Secret"}],
    }  # fmt: skip
    assert completed(account)["secrets"] == [{"name": "s"}]
