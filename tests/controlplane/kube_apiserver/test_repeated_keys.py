"""Keys that stand twice in a YAML body: refused under ``Strict``, warned of under ``Warn``."""

from __future__ import annotations

import pytest
from asking import DEFAULT, World

from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response
from autograder.controlplane.kube_apiserver import repeated_keys

BODY = b"""apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data:
  colour: blue
  colour: red
"""
PROBLEM = 'line 7: key "colour" already set in map'
MAP = f"{DEFAULT}/configmaps/a"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: 1\nb: 2", []),
        ("a: 1\na: 2", ['line 2: key "a" already set in map']),
        ('{"a": 1, "a": 2}', ['line 1: key "a" already set in map']),
        ("a: 1\na:\n  b: 1\n  b: 2", ['line 4: key "b" already set in map', 'line 3: key "a" already set in map']),
        ("- a: [1]\n- a: [2]\n  a:\n  - 3", ['line 4: key "a" already set in map']),
        ("x: &x {a: 1}\ny: *x\ny: 1", ['line 3: key "y" already set in map']),
        ("a: 1\n---\na: 1", []),
        ("just text", []),
        ("", []),
    ],
)  # fmt: skip
def test_each_repeated_key_is_found_where_its_value_begins(text: str, problems: list[str]) -> None:
    assert list(repeated_keys.find(text.encode())) == problems


def send(method: str, path: str, kind: str, validation: str, body: bytes = BODY) -> Response:
    query = {"fieldValidation": [validation], "fieldManager": ["me"]}
    return World().api.handle(Request(method, path, query, {"content-type": kind}, body, user=ADMIN))


def test_a_create_is_refused_with_all_that_is_wrong() -> None:
    answer = send("POST", f"{DEFAULT}/configmaps", "application/yaml", "Strict", BODY + b"nonsense: 1\n")
    assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
    assert answer.body["message"].endswith(
        f'strict decoding error: yaml: unmarshal errors:\n  {PROBLEM}, unknown field "nonsense"'
    )


def test_an_apply_is_refused() -> None:
    answer = send("PATCH", MAP, "application/apply-patch+yaml", "Strict")
    assert (answer.code, answer.body["message"]) == (
        400,
        "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  " + PROBLEM,
    )


@pytest.mark.parametrize(("validation", "warnings"), [("Warn", [PROBLEM]), ("Ignore", [])])
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("POST", f"{DEFAULT}/configmaps", "application/yaml"), ("PATCH", MAP, "application/apply-patch+yaml")],
)
def test_otherwise_the_last_one_counts(method: str, path: str, kind: str, validation: str, warnings: list[str]) -> None:
    answer = send(method, path, kind, validation)
    assert (answer.code, answer.warnings, answer.body["data"]) == (201, warnings, {"colour": "red"})
