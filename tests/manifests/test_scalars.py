"""A plain scalar has the value that kubectl would send."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.manifests import parse

#: Separated by space; a middle dot stands for a space.
TEXT = """
    yes no on off y n Y N True FALSE tRUE oN yEs ~ null Null nULL ~a
    0 -0 00 010 -010 +010 08 0_0 0777 0o17 0O17 0o8 0x1F 0X1f -0x1F +0x1 0x_1 0x 0x1G 0b11 0B11 -0b11 0b12 0b
    5 +5 -5 1_000 1__0 1_ _1 ++1 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809
    18446744073709551616 123456789012345678901234 0x8000000000000000 0xFFFFFFFFFFFFFFFFF
    4611686018427387904.0 9007199254740993.0 1e15 1e16 123456789012345678.0 1e18 1e19 -1e18 -0.0 9223372036854775000.0
    1.0 1. .5 +.5 -.5e3 ._5 .e5 0.1_5 1.50 1e3 1E5 1e+5 -1e3 1e21 1e-7 1e400 1e 1.2.3 . -. + - 0x1p3 123456789.123456789
    1:30 190:20:30 12:00 1:30.5 2001-01-01 2001-1-1 2001-12-14t21:59:43.10-05:00 2001-01-01T00:00:00Z
    infinity nan Infinity .inf1 = << !!str !!str·5 !!int·"5" !!float·5 !!bool·"yes" !!null·~ !!timestamp·2001-01-01
    '010' "yes" "" ·
"""
KEY_TEXT = "80 0x10 1.5 1.0 1e3 1e6 1e21 1e-7 0.0001 123456.5 1234567.25 1e39 .nan -0.0 true 2001-01-01 '8080' 9_0"
SPELLINGS = TEXT.split()
KEYS = KEY_TEXT.split()


def manifest() -> str:
    lines = ["apiVersion: v1", "kind: ConfigMap", "metadata: {name: a}", "values:"]
    lines += [f"- {spelling.replace('·', ' ')}" for spelling in SPELLINGS]
    lines += ["keys:", *(f"  {key}: x{number}" for number, key in enumerate(KEYS))]
    return "\n".join(lines) + "\n"


def as_go_holds(text: str) -> int | float:
    """Go prints large floats without an exponent, as if they were integers."""
    return int(text) if -(2**63) <= int(text) < 2**63 else float(text)


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    found = parse(manifest())
    assert found.problems == ()
    return found.documents[0].value


@pytest.fixture(scope="module")
def kubectls() -> dict[str, Any]:
    """The object as kubectl reads it; a label must be set to make kubectl print it."""
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    command = [kubectl, "label", "--local", "-f", "-", "a=b", "-o", "json"]
    answer = subprocess.run(command, input=manifest(), capture_output=True, text=True, timeout=240, check=True)
    value: dict[str, Any] = json.loads(answer.stdout, parse_int=as_go_holds)
    return value


@pytest.mark.parametrize("index", range(len(SPELLINGS)), ids=SPELLINGS)
def test_a_value_is_what_kubectl_sends(index: int, ours: dict[str, Any], kubectls: dict[str, Any]) -> None:
    expected = kubectls["values"][index]
    assert ours["values"][index] == expected
    assert type(ours["values"][index]) is type(expected)


def test_keys_are_what_kubectl_sends(ours: dict[str, Any], kubectls: dict[str, Any]) -> None:
    assert ours["keys"] == kubectls["keys"]


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("yes", True),
        ("off", False),
        ("010", 8),
        ("1:30", "1:30"),
        ("2001-01-01", "2001-01-01"),
        ("1.0", 1),
        ("~", None),
    ],
)
def test_the_pitfalls_of_yaml_1_1(spelling: str, value: object) -> None:
    assert parse(f"a: {spelling}").documents[0].value == {"a": value}


def test_an_integer_beyond_64_bits_is_a_float() -> None:
    value = parse("a: 12345678901234567890").documents[0].value["a"]
    assert value == 12345678901234567890.0
    assert isinstance(value, float)


def test_numbers_of_any_length_are_read() -> None:
    assert parse("a: " + "9" * 100_000).documents[0].value == {"a": "9" * 100_000}


@pytest.mark.parametrize("spelling", [".inf", "-.INF", ".nan"])
def test_json_has_no_infinity(spelling: str) -> None:
    (problem,) = parse(f"a: {spelling}").problems
    assert str(problem) == (
        f"manifest.yaml:1:4: a: {spelling} is no number in Kubernetes; put it in quotes if it is text"
    )
