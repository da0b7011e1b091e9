"""Bodies become objects in normal form, or are refused in the words of a real API server."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.errors import BadRequest, RequestEntityTooLarge
from autograder.controlplane.kube_apiserver.decoding import BODY_LIMIT, Decoded, FieldValidation, decode, parse
from autograder.controlplane.kube_apiserver.unreadable import Unreadable


def decoded(body: Any, field_validation: FieldValidation = "Strict", media_type: str = "application/json") -> Decoded:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(
        data, "core/v1.Pod", kind="Pod", api_version="v1", field_validation=field_validation, media_type=media_type
    )


def refusal(body: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        decoded(body)
    return refused.value.message.removeprefix('Pod in version "v1" cannot be handled as a Pod: ')


def container(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", **fields}]}}


# ---------------------------------------------------------------- normal form


def test_what_a_body_leaves_out_stands_where_go_writes_it() -> None:
    assert decoded({}).object == {
        "kind": "Pod", "apiVersion": "v1", "metadata": {}, "spec": {"containers": None}, "status": {},
    }  # fmt: skip


def test_nulls_and_empty_values_are_left_out() -> None:
    metadata: dict[str, Any] = {"name": "a", "namespace": "", "labels": {}, "annotations": None, "generation": 0}
    assert decoded({"metadata": metadata}).object["metadata"] == {"name": "a"}


def test_an_empty_object_behind_a_pointer_stays() -> None:
    body = {"spec": {"securityContext": {}, "volumes": [{"name": "v", "emptyDir": {}}]}}
    spec = decoded(body).object["spec"]
    assert spec["securityContext"] == {}
    assert spec["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_what_was_given_empty_is_remembered_for_messages() -> None:
    metadata = decoded({"metadata": {"labels": {}}}).object["metadata"]
    assert metadata == {}
    assert as_given(metadata, "labels") == {}
    assert as_given(metadata, "annotations") is None


def test_false_and_zero_behind_a_pointer_stay() -> None:
    spec = decoded({"spec": {"enableServiceLinks": False, "priority": 0, "hostNetwork": False}}).object["spec"]
    assert (spec["enableServiceLinks"], spec["priority"]) == (False, 0)
    assert "hostNetwork" not in spec


def test_quantities_times_and_null_entries_are_spelt_canonically() -> None:
    resources = {"limits": {"memory": "1024Mi", "cpu": 0.5}, "requests": {"cpu": None}}
    body = {**container(resources=resources), "metadata": {"deletionTimestamp": "2026-01-02T03:04:05.6+02:00"}}
    pod = decoded(body).object
    assert pod["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "500m", "memory": "1Gi"},
        "requests": {"cpu": "0"},
    }
    assert pod["metadata"]["deletionTimestamp"] == "2026-01-02T01:04:05Z"
    assert decoded({"metadata": {"labels": {"a": None}}}).object["metadata"]["labels"] == {"a": ""}


def test_fields_stand_in_the_order_of_the_type_and_keys_are_sorted() -> None:
    pod = decoded({"spec": {}, "metadata": {"labels": {"b": "1", "a": "2"}, "name": "x"}}).object
    assert list(pod) == ["kind", "apiVersion", "metadata", "spec", "status"]
    assert list(pod["metadata"]) == ["name", "labels"]
    assert list(pod["metadata"]["labels"]) == ["a", "b"]


def test_nothing_of_a_parsed_body_is_shared() -> None:
    body: dict[str, Any] = {"metadata": {"labels": {"a": "b"}, "finalizers": ["x/y"]}}
    pod = decode(body, "core/v1.Pod", kind="Pod", api_version="v1").object
    pod["metadata"]["labels"]["a"] = "changed"
    pod["metadata"]["finalizers"].append("more")
    assert body == {"metadata": {"labels": {"a": "b"}, "finalizers": ["x/y"]}}


# ---------------------------------------------------------------- values of a wrong type


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"metadata": "x"}, "cannot unmarshal string into Go struct field Pod.metadata of type v1.ObjectMeta"),
        (
            {"metadata": {"name": 1}},
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string",
        ),
        (
            {"metadata": {"labels": ["a"]}},
            "cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            {"metadata": {"labels": {"a": 1}}},
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"spec": {"containers": {}}},
            "cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            {"spec": {"restartPolicy": True}},
            "cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
        ),
        (
            {"spec": {"priority": 5.5}},
            "cannot unmarshal number 5.5 into Go struct field PodSpec.spec.priority of type int32",
        ),
        (
            {"spec": {"priority": 3000000000}},
            "cannot unmarshal number 3000000000 into Go struct field PodSpec.spec.priority of type int32",
        ),
        (
            container(readinessProbe={"httpGet": "x"}),
            "cannot unmarshal string into Go struct field "
            "Probe.spec.containers.readinessProbe.ProbeHandler.httpGet of type v1.HTTPGetAction",
        ),
        (
            container(readinessProbe={"tcpSocket": {"port": 1.5}}),
            "cannot unmarshal number 1.5 into Go struct field "
            "TCPSocketAction.spec.containers.readinessProbe.ProbeHandler.tcpSocket.port of type int32",
        ),
    ],
)
def test_a_wrong_type_is_told_by_go_struct_and_field(body: Any, message: str) -> None:
    assert refusal(body) == f"json: {message}"


def test_the_first_wrong_type_in_the_body_is_told() -> None:
    assert "PodSpec.spec.hostname" in refusal({"spec": {"hostname": 1, "containers": "x"}, "metadata": 7})


@pytest.mark.parametrize("amount", ["", "1x", True, {}, []])
def test_what_is_no_quantity(amount: Any) -> None:
    body = container(resources={"limits": {"cpu": amount}})
    assert refusal(body).startswith("quantities must match the regular expression")


def test_what_is_no_time_is_shown_byte_by_byte() -> None:
    assert refusal({"metadata": {"deletionTimestamp": "a\nü"}}).startswith('parsing time "a\\x0a\\xc3\\xbc" as')


def test_what_is_no_time() -> None:
    message = 'parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"'
    assert refusal({"metadata": {"deletionTimestamp": "today"}}) == message


@pytest.mark.parametrize(
    ("text", "place"), [("YWJj-", 4), ("YQ==x", 4), ("YQ", 0), ("-YQ=", 0), ("YQ=", 3), ("YWJj\nY", 5), ("TZ=U", 2)]
)
def test_what_is_no_base64(text: str, place: int) -> None:
    body: dict[str, Any] = {"data": {"k": text}}
    with pytest.raises(BadRequest, match=f"illegal base64 data at input byte {place}$"):
        decode(body, "core/v1.Secret", kind="Secret", api_version="v1")


# ---------------------------------------------------------------- strictness

MISSPELT = (
    b'{"metadata": {"name": "a", "name": "b", "lables": {}}, "spec": {"containers": [{"Name": "c"}]}, "x": {"y": 1}}'
)
WARNINGS = (
    'duplicate field "metadata.name"',
    'unknown field "metadata.lables"',
    'unknown field "spec.containers[0].Name"',
    'unknown field "x"',
)


def test_unknown_and_repeated_fields_are_refused_in_order() -> None:
    assert refusal(MISSPELT) == "strict decoding error: " + ", ".join(WARNINGS)


def test_they_are_warned_of_or_dropped_if_the_client_wants_that() -> None:
    assert decoded(MISSPELT, "Warn").warnings == WARNINGS
    assert decoded(MISSPELT, "Ignore").warnings == ()
    assert decoded(MISSPELT, "Ignore").object["metadata"] == {"name": "b"}


def test_a_wrong_type_comes_before_unknown_fields() -> None:
    assert refusal({"x": 1, "metadata": []}).startswith("json: cannot unmarshal array")


def test_a_hundred_errors_are_enough() -> None:
    assert refusal({f"field{number}": 1 for number in range(150)}).count("unknown field") == 100


# ---------------------------------------------------------------- bodies that are no object of the kind


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"kind": "Pot"},
            'Pot in version "v1" cannot be handled as a Pod: no kind "Pot" is registered for version "v1" in scheme '
            '"pkg/api/legacyscheme/scheme.go:30"',
        ),
        (
            {"kind": "Service", "apiVersion": "v1"},
            'Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): '
            "unknown conversion",
        ),
        (
            {"kind": 1},
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: "
            'json: cannot unmarshal number into Go struct field .kind of type string ({"kind": 1})',
        ),
        (
            b'{"metadata": {"name": "a",}}',
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: "
            'invalid character \'}\' looking for beginning of object key string ({"metadata": {"name": "a",}})',
        ),
        (
            b'{"metadata"',
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: "
            'unexpected end of JSON input ({"metadata")',
        ),
        (
            b"",
            "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: "
            "unexpected end of JSON input (<empty>)",
        ),
    ],
)
def test_a_body_that_cannot_be_read(body: Any, message: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decoded(body)
    assert refused.value.message == message


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"NaN", b'{"a": -Infinity}', b"\xff\xfe", b'{"a": 1' + b"0" * 5000 + b"}"]
)
def test_hostile_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decoded(body)


def test_a_body_of_no_fixed_type_may_not_be_deep() -> None:
    body = b'{"revision": 1, "data": ' + b'{"a":' * 900 + b"1" + b"}" * 901
    with pytest.raises(BadRequest, match="exceeded max depth"):
        decode(body, "apps/v1.ControllerRevision", kind="ControllerRevision", api_version="apps/v1")


def test_a_body_has_a_limit() -> None:
    with pytest.raises(RequestEntityTooLarge, match=f"limit is {BODY_LIMIT}"):
        parse(b" " * (BODY_LIMIT + 1))


def test_text_that_is_not_unicode_is_mended() -> None:
    assert parse(b'{"a": "\\ud800x\xff"}') == {"a": "\ufffdx\ufffd"}


# ---------------------------------------------------------------- YAML


def test_yaml_is_read_as_json_would_be() -> None:
    body = b"metadata:\n  name: a\n  labels: {b: 'c'}\nspec:\n  containers: []\n"
    pod = decoded(body, media_type="application/yaml").object
    assert pod["metadata"] == {"name": "a", "labels": {"b": "c"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True), ("Off", False), ("~", None), ("010", 8), ("0o17", 15), ("08", 8), ("1e3", 1000), ("1_000", 1000),
        ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("1.5", 1.5), ("'1'", "1"), ("!mine x", "x"),
    ],
)  # fmt: skip
def test_plain_words_of_yaml_mean_what_they_mean_to_go(text: str, value: Any) -> None:
    assert parse(f"a: {text}".encode(), "application/yaml") == {"a": value}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"~: x", 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "x"'),
        (b"a: -.inf", "json: unsupported value: -Inf"),
        (b"a: .nan", "json: unsupported value: NaN"),
    ],
)
def test_what_json_cannot_say_is_no_yaml_for_the_api(body: bytes, why: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(body, "application/yaml")
    assert str(refused.value) == why


@pytest.mark.parametrize(
    "body",
    [
        b"a: *nowhere",
        b"!!python/object/apply:os.system [id]",
        b"a: [",
        b"\x00",
    ],
)
def test_hostile_yaml_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decoded(body, media_type="application/yaml")


def test_aliases_do_not_multiply() -> None:
    lines = ["a0: &a0 [" + ",".join(["x"] * 9) + "]"]
    lines += [f"a{i}: &a{i} [" + ",".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 12)]
    with pytest.raises(BadRequest, match="excessive aliasing"):
        decoded("\n".join(lines).encode(), media_type="application/yaml")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"accessModes": [1], "resources": {"requests": {"storage": "x"}}}, "quantities must match the regular"),
        ({"accessModes": [1], "resources": {"requests": {"storage": "1"}}}, "json: cannot unmarshal number into Go"),
    ],
)
def test_a_malformed_quantity_counts_more_than_a_wrong_type_before_it(spec: Any, said: str) -> None:
    with pytest.raises(BadRequest, match=f"cannot be handled as a PersistentVolumeClaim: {said}"):
        decode({"spec": spec}, "core/v1.PersistentVolumeClaim", kind="PersistentVolumeClaim", api_version="v1")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"not json", "invalid character 'o' in literal null (expecting 'u')"),
        (b"\xff\xfe", "invalid character 'ÿ' looking for beginning of value"),
        (b"-{}", "invalid character '{' in numeric literal"),
        (b'{"a":tru}', "invalid character '}' in literal true (expecting 'e')"),
        (b'{"KIND":{}}', "json: cannot unmarshal object into Go struct field .kind of type string"),
    ],
)
def test_what_is_said_of_broken_json(body: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match="json parse error: " + re.escape(said)):
        decode(body, "core/v1.Pod", kind="Pod", api_version="v1")


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("Deployment", {"apiVersion": "extensions/v1beta1"}, (
            "the API version in the data (extensions/v1beta1) does not match the expected API version (apps/v1)"
        )),
        ("Deployment", {"kind": "Status"}, (
            'Status in version "v1" cannot be handled as a Deployment: '
            "converting (v1.Status) to (apps.Deployment): unknown conversion"
        )),
        ("Deployment", {"apiVersion": "batch/"}, (
            'Deployment in version "" cannot be handled as a Deployment: '
            """Object 'apiVersion' is missing in '{"apiVersion": "batch/"}'"""
        )),
    ],
)  # fmt: skip
def test_objects_of_another_kind_or_version(kind: str, given: Any, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decode(given, f"apps/v1.{kind}", kind=kind, api_version="apps/v1")
    assert refused.value.message == said


def test_bytes_may_be_given_one_by_one() -> None:
    secret = decode({"data": {"k": [104, 105]}}, "core/v1.Secret", kind="Secret", api_version="v1").object
    assert secret["data"] == {"k": "aGk="}
