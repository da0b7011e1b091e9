"""Bodies in protobuf are read as the JSON that they stand for, and judged as that would be."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from asking import World
from hypothesis import given
from hypothesis import strategies as st

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response
from autograder.controlplane.kube_apiserver import decoding, parsing, protobuf

Fields = dict[str, Any]


def fill(message: Any, fields: Fields) -> Any:
    """Set the fields of a message; a dict fills a message or a map, a list what is repeated."""
    for name, value in fields.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        target = getattr(message, name)
        if isinstance(value, dict) and field.is_repeated:
            for key, one in value.items():
                if isinstance(one, dict):
                    fill(target[key], one)
                else:
                    target[key] = one
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    fill(target.add(), one)
                else:
                    target.append(one)
        elif isinstance(value, dict):
            target.SetInParent()
            fill(target, value)
        else:
            setattr(message, name, value)
    return message


def enveloped(api_version: str, kind: str, raw: bytes) -> bytes:
    unknown = protobuf.message_class("k8s.io.apimachinery.pkg.runtime.Unknown")()
    content = {"typeMeta": {"apiVersion": api_version, "kind": kind}, "raw": raw}
    data: bytes = fill(unknown, content).SerializeToString()
    return protobuf.MAGIC + data


def body(api_version: str, kind: str, fields: Fields) -> bytes:
    """What a typed client sends for an object."""
    name = protobuf.message_name(api_version, kind)
    assert name is not None
    return enveloped(api_version, kind, fill(protobuf.message_class(name)(), fields).SerializeToString())


def read(data: bytes, kind: str, api_version: str = "v1") -> decoding.Decoded:
    row = scheme.BY_KIND[api_version, kind]
    return decoding.decode(
        data, row.go_type, kind=kind, api_version=api_version, media_type="application/vnd.kubernetes.protobuf"
    )


def pod_spec(fields: Fields) -> Any:
    return protobuf.parse(body("v1", "Pod", {"spec": fields}))["spec"]


def test_an_object_comes_out_as_its_json_would() -> None:
    fields = {
        "metadata": {"name": "x", "namespace": "", "labels": {"b": "2", "a": "1"}, "creationTimestamp": {}},
        "data": {"k": "1", "empty": ""},
        "binaryData": {"b": b"\xff"},
        "immutable": False,
    }
    as_json = {
        "metadata": {"name": "x", "namespace": "", "labels": {"a": "1", "b": "2"}, "creationTimestamp": None},
        "data": {"k": "1", "empty": ""},
        "binaryData": {"b": base64.b64encode(b"\xff").decode()},
        "immutable": False,
    }
    from_protobuf = read(body("v1", "ConfigMap", fields), "ConfigMap")
    assert from_protobuf == decoding.decode(as_json, "core/v1.ConfigMap", kind="ConfigMap", api_version="v1")
    assert from_protobuf.object["immutable"] is False


def test_zero_values_that_go_leaves_out_are_left_out_and_those_behind_pointers_stay() -> None:
    fields = {
        "spec": {"hostname": "", "hostNetwork": False, "terminationGracePeriodSeconds": 0, "activeDeadlineSeconds": 0}
    }
    spec = read(body("v1", "Pod", fields), "Pod").object["spec"]
    assert spec == {"containers": None, "terminationGracePeriodSeconds": 0, "activeDeadlineSeconds": 0}


def test_embedded_structs_are_part_of_what_holds_them() -> None:
    assert pod_spec({"volumes": [{"name": "scratch", "volumeSource": {"emptyDir": {}}}]}) == {
        "volumes": [{"name": "scratch", "emptyDir": {}}]
    }
    reference = {"localObjectReference": {"name": "s"}, "key": "k"}
    container = {"env": [{"name": "A", "valueFrom": {"secretKeyRef": reference}}]}
    assert pod_spec({"containers": [container]})["containers"][0]["env"] == [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    ]


@pytest.mark.parametrize(
    ("port", "expected"),
    [({"type": 0, "intVal": 80, "strVal": ""}, 80), ({"type": 1, "intVal": 0, "strVal": "web"}, "web")],
)
def test_a_number_or_a_name(port: Fields, expected: object) -> None:
    probe = {"handler": {"httpGet": {"path": "/", "port": port}}}
    found = pod_spec({"containers": [{"livenessProbe": probe}]})["containers"][0]["livenessProbe"]
    assert found == {"httpGet": {"path": "/", "port": expected}}


def test_quantities_and_negative_numbers() -> None:
    limits = {"cpu": {"string": "500m"}, "memory": {}}
    assert pod_spec({"containers": [{"resources": {"limits": limits}}], "priority": -5}) == {
        "containers": [{"resources": {"limits": {"cpu": "500m", "memory": "0"}}}],
        "priority": -5,
    }


def test_times_have_seconds_or_microseconds_or_are_not_set() -> None:
    moment = {"seconds": 1_767_258_000, "nanos": 500_000_000}
    fields = {"metadata": {"creationTimestamp": moment, "deletionTimestamp": {}}, "spec": {"renewTime": moment}}
    lease = protobuf.parse(body("coordination.k8s.io/v1", "Lease", fields))
    assert lease["metadata"] == {"creationTimestamp": "2026-01-01T09:00:00Z", "deletionTimestamp": None}
    assert lease["spec"] == {"renewTime": "2026-01-01T09:00:00.500000Z"}


def test_names_that_protobuf_spells_otherwise() -> None:
    fields = {"spec": {"expirationSeconds": 600, "boundObjectRef": {"kind": "Pod", "uID": "u"}}}
    spec = protobuf.parse(body("authentication.k8s.io/v1", "TokenRequest", fields))["spec"]
    assert spec == {"expirationSeconds": 600, "boundObjectRef": {"kind": "Pod", "uid": "u"}}


def test_named_lists_are_lists() -> None:
    fields = {"spec": {"user": "bob", "extra": {"scopes": {"items": ["a", "b"]}}}}
    review = protobuf.parse(body("authorization.k8s.io/v1", "SubjectAccessReview", fields))
    assert review["spec"] == {"user": "bob", "extra": {"scopes": ["a", "b"]}}


@pytest.mark.parametrize("api_version", ["v1", "policy/v1", "apps/v1"])
def test_options_belong_to_the_machinery_whatever_group_they_name(api_version: str) -> None:
    options = protobuf.parse(body(api_version, "DeleteOptions", {"gracePeriodSeconds": 30, "dryRun": ["All"]}))
    assert options == {"apiVersion": api_version, "kind": "DeleteOptions", "gracePeriodSeconds": 30, "dryRun": ["All"]}


@pytest.mark.parametrize("kind", sorted(scheme.BY_KIND))
def test_every_served_kind_has_a_message(kind: tuple[str, str]) -> None:
    api_version, name = kind
    assert protobuf.parse(body(api_version, name, {"metadata": {"name": "x"}}))["metadata"] == {"name": "x"}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            b"{}",
            "the object provided is unrecognized (must be of type Pod): provided data does not appear to be a protobuf "
            "message, expected prefix [107 56 115 0] ({})",
        ),
        (b"k8s\x00", "the object provided is unrecognized (must be of type Pod): empty body (6b387300)"),
        (b"k8s\x00\x0a\xff", "the object provided is unrecognized (must be of type Pod): proto: "),
        (enveloped("v1", "", b""), "(must be of type Pod): Object 'Kind' is missing in 'v1'"),
        (enveloped("v1", "Pod", b"\x0a\xff"), 'Pod in version "v1" cannot be handled as a Pod: proto: '),
        (
            enveloped("v1", "Nothing", b""),
            'Nothing in version "v1" cannot be handled as a Pod: no kind "Nothing" is registered for version "v1" in '
            'scheme "pkg/api/legacyscheme/scheme.go:30"',
        ),
        (
            enveloped("v1", "ConfigMap", b""),
            'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown '
            "conversion",
        ),
    ],
)
def test_what_is_no_such_object_is_refused_as_json_would_be(data: bytes, text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(data, "Pod")
    assert text in refused.value.message


def test_a_time_that_no_calendar_has_is_refused() -> None:
    with pytest.raises(BadRequest, match="no calendar"):
        read(body("v1", "Pod", {"metadata": {"creationTimestamp": {"seconds": 1 << 60}}}), "Pod")


def test_text_that_is_no_utf8_is_mended_as_gos_json_does() -> None:
    raw = bytes([0x0A, 3, 0x0A, 1, 0xFF])
    assert read(enveloped("v1", "ConfigMap", raw), "ConfigMap").object["metadata"]["name"] == "\ufffd"


POD = body("v1", "Pod", {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i"}]}})


@pytest.mark.parametrize("length", range(len(POD)))
def test_a_truncated_body_is_refused_or_says_less(length: int) -> None:
    try:
        read(POD[:length], "Pod")
    except BadRequest as refused:
        assert refused.code == 400


@given(st.binary(max_size=300))
def test_no_bytes_bring_it_down(data: bytes) -> None:
    for hostile in (protobuf.MAGIC + data, enveloped("v1", "Pod", data)):
        try:
            read(hostile, "Pod")
        except BadRequest as refused:
            assert refused.code == 400


# ---------------------------------------------------------------- through the API server

PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture
def world() -> World:
    """A cluster with a pod that has been sent in protobuf."""
    world = World()
    assert send(world, "POST", PODS, POD).code == 201
    return world


def send(world: World, method: str, path: str, data: bytes, media_type: str = parsing.PROTOBUF) -> Response:
    return world.api.handle(Request(method, path, {}, {"content-type": media_type}, data, user=ADMIN))


def test_what_is_sent_in_protobuf_is_defaulted_and_stored(world: World) -> None:
    spec = world.ask("GET", f"{PODS}/x").body["spec"]
    assert (spec["containers"][0]["imagePullPolicy"], spec["restartPolicy"]) == ("Always", "Always")


def test_what_is_sent_in_protobuf_is_validated(world: World) -> None:
    response = send(world, "POST", PODS, body("v1", "Pod", {"metadata": {"name": "Y"}}))
    assert (response.code, response.body["reason"]) == (422, "Invalid")
    assert "spec.containers: Required value" in response.body["message"]


def test_options_of_a_deletion_may_be_protobuf(world: World) -> None:
    tried = body("v1", "DeleteOptions", {"dryRun": ["All"]})
    assert send(world, "DELETE", f"{PODS}/x", tried).code == 200
    assert world.ask("GET", f"{PODS}/x").code == 200
    assert send(world, "DELETE", f"{PODS}/x", body("v1", "DeleteOptions", {"gracePeriodSeconds": 0})).code == 200
    assert world.ask("GET", f"{PODS}/x").code == 404


def test_an_eviction_may_be_protobuf(world: World) -> None:
    eviction = body("policy/v1", "Eviction", {"metadata": {"name": "x", "namespace": "default"}})
    assert send(world, "POST", f"{PODS}/x/eviction", eviction).code == 201
    assert world.ask("GET", f"{PODS}/x").code == 404


@pytest.mark.parametrize("subresource", ["", "/eviction", "/binding"])
@pytest.mark.parametrize("data", [b"", b"k8s", b"k8s\x00", b"k8s\x00\xff\xff", b"{}", POD[:20]])
def test_whatever_cannot_be_read_ends_in_bad_request(world: World, subresource: str, data: bytes) -> None:
    path = f"{PODS}/x{subresource}" if subresource else PODS
    response = send(world, "POST", path, data)
    assert (response.code, response.body["reason"]) == (400, "BadRequest")


def test_other_formats_are_not_read(world: World) -> None:
    response = send(world, "POST", PODS, b"<pod/>", "application/xml")
    assert (response.code, response.body["message"]) == (
        415,
        "the body of the request was in an unknown format - accepted media types include: application/json, "
        "application/yaml, application/vnd.kubernetes.protobuf",
    )
