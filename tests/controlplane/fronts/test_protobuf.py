"""Bodies in protobuf are read as the JSON that they stand for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.fronts.protobuf import decode


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def message(*fields: tuple[int, int | str | bytes]) -> bytes:
    """A message of fields by their numbers: numbers as varints, text and messages by their length."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def body(api_version: str, kind: str, *fields: tuple[int, int | str | bytes]) -> bytes:
    return b"k8s\x00" + message((1, message((1, api_version), (2, kind))), (2, message(*fields)))


NAMED = message((1, "x"), (2, ""))


def test_a_config_map() -> None:
    entries = [(2, message((1, "a"), (2, "1"))), (2, message((1, "empty")))]
    assert decode(body("v1", "ConfigMap", (1, NAMED), *entries, (3, message((1, "b"), (2, b"\xff"))), (4, 0))) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x"},
        "data": {"a": "1", "empty": ""},
        "binaryData": {"b": "/w=="},
        "immutable": False,
    }


def pod_spec(*fields: tuple[int, int | str | bytes]) -> Any:
    return decode(body("v1", "Pod", (2, message(*fields))))["spec"]


def test_embedded_types_are_part_of_what_holds_them() -> None:
    empty_dir = message((1, "scratch"), (2, message((2, b""))))
    assert pod_spec((1, empty_dir)) == {"volumes": [{"name": "scratch", "emptyDir": {}}]}


def test_a_number_or_a_name() -> None:
    def probe(port: bytes) -> Any:
        handler = message((2, message((1, "/"), (2, port))))
        return pod_spec((2, message((1, "c"), (10, message((1, handler))))))["containers"][0]["livenessProbe"]

    assert probe(message((1, 0), (2, 80), (3, ""))) == {"httpGet": {"path": "/", "port": 80}}
    assert probe(message((1, 1), (2, 0), (3, "web")))["httpGet"]["port"] == "web"


def test_quantities_and_negative_numbers() -> None:
    limits = message((1, "cpu"), (2, message((1, "500m"))))
    assert pod_spec((2, message((1, "c"), (8, message((1, limits)))))) == {
        "containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}}}]
    }
    assert pod_spec((25, -5)) == {"priority": -5}


def test_what_was_not_given_is_left_out_and_what_was_given_empty_is_kept() -> None:
    assert pod_spec((3, ""), (4, 0), (11, 0)) == {"terminationGracePeriodSeconds": 0}


def test_times() -> None:
    when = message((1, 1_767_258_000), (2, 500_000_000))
    lease = decode(body("coordination.k8s.io/v1", "Lease", (1, message((8, when))), (2, message((4, when)))))
    assert lease["metadata"]["creationTimestamp"] == "2026-01-01T09:00:00Z"
    assert lease["spec"]["renewTime"] == "2026-01-01T09:00:00.500000Z"
    assert decode(body("v1", "Pod", (1, message((1, "x"), (8, b"")))))["metadata"] == {"name": "x"}


def test_lists_of_numbers_packed_or_not() -> None:
    expected = {"securityContext": {"supplementalGroups": [1, 300]}}
    assert pod_spec((14, message((4, 1), (4, 300)))) == expected
    assert pod_spec((14, message((4, varint(1) + varint(300))))) == expected


def test_options_belong_to_the_machinery() -> None:
    assert decode(body("policy/v1", "DeleteOptions", (1, 30)))["gracePeriodSeconds"] == 30


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"{}", "magic"),
        (body("v1", "Nothing"), 'no kind "Nothing"'),
        (b"k8s\x00\x0a\xff", "unexpected end"),
        (body("v1", "Pod", (1, 5)), "a number where bytes should be"),
        (body("v1", "Pod", (2, message((4, "text")))), "bytes where a number should be"),
        (body("v1", "Pod", (1, message((1, b"\xff")))), "UTF-8"),
        (b"k8s\x00" + b"\xff" * 12, "a number too long"),
        (b"k8s\x00\x0b", "wire type 3"),
    ],
)
def test_what_is_no_such_message_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(BadRequest, match=text):
        decode(data)


@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(data: bytes) -> None:
    try:
        decode(b"k8s\x00" + message((1, message((1, "v1"), (2, "Pod")))) + data)
    except BadRequest:
        return
