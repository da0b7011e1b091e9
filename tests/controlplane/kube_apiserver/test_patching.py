"""The three patch types hold to their laws and leave what they patch unchanged."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.controlplane.apimachinery.errors import BadRequest, Invalid, Unclassified
from autograder.controlplane.kube_apiserver.patching import (
    PATCH_TYPES,
    Target,
    apply_json_patch,
    apply_merge_patch,
    apply_strategic_merge_patch,
)
from autograder.controlplane.kube_apiserver.patching.json_patch import decode_json_patch

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)

POD = {
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "containers": [
            {"name": "nginx", "image": "nginx:1.26", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"name": "side", "image": "busybox"},
        ],
        "tolerations": [{"key": "a"}],
    },
}


def strategic(patch: Any) -> Any:
    return apply_strategic_merge_patch(POD, patch, "core/v1.Pod")


@given(document=JSON, patch=JSON)
def test_a_merge_patch_applied_twice_equals_once(document: Any, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    once = apply_merge_patch(document, patch)
    assert apply_merge_patch(once, patch) == once
    assert (document, patch) == before


def test_a_merge_patch_removes_with_null_and_replaces_lists() -> None:
    patched = apply_merge_patch(POD, {"metadata": {"labels": {"app": None, "tier": "x"}}, "spec": {"tolerations": []}})
    assert patched["metadata"]["labels"] == {"tier": "x"}
    assert patched["spec"]["tolerations"] == []


def test_json_patch_carries_out_operations_in_order() -> None:
    patch = [
        {"op": "test", "path": "/metadata/name", "value": "web"},
        {"op": "add", "path": "/metadata/labels/a~1b", "value": "x"},
        {"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:1.27"},
        {"op": "add", "path": "/spec/tolerations/-", "value": {"key": "b"}},
        {"op": "add", "path": "/spec/tolerations/0", "value": {"key": "c"}},
        {"op": "remove", "path": "/spec/containers/1"},
        {"op": "copy", "from": "/metadata/name", "path": "/metadata/labels/copy"},
        {"op": "move", "from": "/metadata/labels/app", "path": "/metadata/labels/moved"},
    ]
    before = copy.deepcopy(POD)
    patched = apply_json_patch(POD, patch)
    assert patched["metadata"]["labels"] == {"a/b": "x", "copy": "web", "moved": "web"}
    assert [one["image"] for one in patched["spec"]["containers"]] == ["nginx:1.27"]
    assert [one["key"] for one in patched["spec"]["tolerations"]] == ["c", "a", "b"]
    assert before == POD


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/metadata/name", "value": "other"},
        {"op": "remove", "path": "/metadata/nothing"},
        {"op": "replace", "path": "/spec/containers/7/image", "value": "x"},
        {"op": "add", "path": "/nothing/below", "value": 1},
        {"op": "add", "path": "/spec/containers/x", "value": 1},
        {"op": "jump", "path": "/metadata"},
        {"op": "add", "path": "metadata", "value": 1},
    ],
)
def test_json_patch_refuses_an_operation_that_cannot_be_carried_out(operation: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        apply_json_patch(POD, [operation])


def test_json_patch_copies_no_more_than_three_megabytes() -> None:
    copies = [{"op": "copy", "from": "/spec", "path": f"/spec/x{number}"} for number in range(60)]
    assert len(apply_json_patch(POD, copies[:8])["spec"]) == len(POD["spec"]) + 8
    with pytest.raises(Invalid):
        apply_json_patch(POD, copies)


def test_json_patch_must_be_a_list_of_operations() -> None:
    with pytest.raises(BadRequest, match=r"cannot unmarshal object into Go value of type \[\]handlers.jsonPatchOp"):
        decode_json_patch(b'{"op": "remove", "path": "/metadata"}')


def test_a_strategic_patch_merges_keyed_lists_by_their_key() -> None:
    patched = strategic({"spec": {"containers": [{"name": "nginx", "image": "nginx:1.27", "env": [{"name": "C"}]}]}})
    nginx, side = patched["spec"]["containers"]
    assert (nginx["image"], side["image"]) == ("nginx:1.27", "busybox")
    assert [one["name"] for one in nginx["env"]] == ["C", "A", "B"]


def test_a_strategic_patch_replaces_lists_without_a_key() -> None:
    assert strategic({"spec": {"tolerations": [{"key": "z"}]}})["spec"]["tolerations"] == [{"key": "z"}]


def test_directives_delete_and_replace() -> None:
    deleted = strategic({"spec": {"containers": [{"name": "side", "$patch": "delete"}]}})
    assert [one["name"] for one in deleted["spec"]["containers"]] == ["nginx"]
    replaced = strategic({"spec": {"containers": [{"name": "new"}, {"$patch": "replace"}]}})
    assert replaced["spec"]["containers"] == [{"name": "new"}]
    labels = strategic({"metadata": {"labels": {"$patch": "replace", "only": "this"}}})
    assert labels["metadata"]["labels"] == {"only": "this"}


def test_the_order_of_elements_is_that_of_the_directive() -> None:
    order = [{"name": "side"}, {"name": "nginx"}]
    patched = strategic(
        {"spec": {"$setElementOrder/containers": order, "containers": [{"name": "nginx", "tty": True}]}}
    )
    assert [one["name"] for one in patched["spec"]["containers"]] == ["side", "nginx"]


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        (
            {"spec": {"containers": [{"image": "nginx"}]}},
            "map: map[image:nginx] does not contain declared merge key: name",
        ),
        (
            {"spec": {"containers": [{"name": "side", "$patch": "bogus"}]}},
            "unknown patch type: bogus in map: map[$patch:bogus name:side]",
        ),
    ],
)
def test_a_strategic_patch_that_makes_no_sense_is_an_error_without_a_reason(patch: Any, message: str) -> None:
    with pytest.raises(Unclassified) as error:
        strategic(patch)
    assert (error.value.code, error.value.reason, error.value.message) == (500, "", message)


STRATEGIC = PATCH_TYPES["application/strategic-merge-patch+json"]
MERGE = PATCH_TYPES["application/merge-patch+json"]
JSON_PATCH = PATCH_TYPES["application/json-patch+json"]
UNMARSHAL = "json: cannot unmarshal"
POD_TARGET = Target("core/v1.Pod", "Pod", "v1")


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ({"spec": {"priority": "high"}}, '"map[spec:map[priority:high]]": unrecognized type: int32'),
        ({"spec": {"priority": 1.5}}, '"map[spec:map[priority:1.5]]": cannot convert float64 to int32'),
        ({"metadata": {"labels": {"a": 1}}}, '"map[metadata:map[labels:map[a:1]]]": cannot convert int64 to string'),
        ({"metadata": {"labels": ["a"]}}, '"map[metadata:map[labels:[a]]]": cannot restore map from slice'),
        ({"spec": {"containers": "x"}}, '"map[spec:map[containers:x]]": cannot restore slice from string'),
        ({"spec": "x"}, '"map[spec:x]": cannot restore struct from: string'),
        ({"spec": {"foo": True}}, '"map[spec:map[foo:true]]": strict decoding error: unknown field "spec.foo"'),
    ],
)
def test_an_outcome_of_a_strategic_patch_that_is_no_pod_is_refused_in_the_words_of_the_converter(
    patch: Any, why: str
) -> None:
    with pytest.raises(Invalid) as error:
        STRATEGIC.read(strategic(patch), patch, POD_TARGET, "Strict")
    assert error.value.message == f' "" is invalid: patch: Invalid value: {why}'


def test_an_outcome_of_a_merge_patch_that_is_no_pod_is_quoted_whole() -> None:
    patched = MERGE.apply({"kind": "Pod"}, {"spec": {"priority": "high"}}, "core/v1.Pod")
    with pytest.raises(
        Invalid, match=r"^ \"\" is invalid: patch: Invalid value: \"{.*}\": json: cannot unmarshal string"
    ):
        MERGE.read(patched, {}, POD_TARGET, "Strict")


def test_unknown_fields_are_warned_of_or_dropped_as_the_client_asks() -> None:
    patched = strategic({"spec": {"foo": 1}})
    assert STRATEGIC.read(patched, {}, POD_TARGET, "Warn").warnings == ('unknown field "spec.foo"',)
    assert STRATEGIC.read(patched, {}, POD_TARGET, "Ignore").warnings == ()


@pytest.mark.parametrize(
    ("patch", "after"),
    [
        ({"finalizers": ["c/c"]}, ["c/c", "a/a", "b/b"]),
        ({"finalizers": ["b/b", "c/c"]}, ["a/a", "b/b", "c/c"]),
        ({"finalizers": ["c/c"], "$setElementOrder/finalizers": ["b/b", "c/c", "a/a"]}, ["b/b", "c/c", "a/a"]),
    ],
)
def test_plain_values_that_a_strategic_patch_adds_come_before_those_that_only_the_server_has(
    patch: Any, after: list[str]
) -> None:
    pod = {"metadata": {"finalizers": ["a/a", "b/b"]}}
    assert apply_strategic_merge_patch(pod, {"metadata": patch}, "core/v1.Pod")["metadata"]["finalizers"] == after


def test_a_patch_keeps_to_the_order_that_it_gives_itself() -> None:
    patch = {"metadata": {"finalizers": ["a/a"], "$setElementOrder/finalizers": ["b/b"]}}
    with pytest.raises(Unclassified) as refused:
        apply_strategic_merge_patch({"metadata": {"finalizers": ["b/b"]}}, patch, "core/v1.Pod")
    assert refused.value.message == ("The order in patch list:\n[a/a]\n doesn't match $setElementOrder list:\n[b/b]\n")


def test_unknown_fields_of_a_strategic_patch_are_told_by_name() -> None:
    patch: Any = {"zz": 1, "spec": {"zz": 1}, "Bogus": 1}
    assert STRATEGIC.read(strategic(patch), patch, POD_TARGET, "Warn").warnings == (
        'unknown field "Bogus"', 'unknown field "spec.zz"', 'unknown field "zz"',
    )  # fmt: skip


def test_a_strategic_patch_cannot_change_the_kind() -> None:
    patch = {"kind": "Secret", "apiVersion": "v2"}
    assert STRATEGIC.read(strategic(patch), patch, POD_TARGET, "Strict").object["kind"] == "Pod"
    with pytest.raises(Invalid, match='no kind "Secret" is registered for version "v2"'):
        MERGE.read(MERGE.apply(POD, patch, "core/v1.Pod"), patch, POD_TARGET, "Strict")


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        (b'{"spec": {"priority": 1, "priority": 2}}', 'duplicate field "spec.priority"'),
        (b'[{"op": "test", "path": "", "extra": 1}]', 'json patch unknown field "[0].extra"'),
    ],
)
def test_strictness_looks_at_the_patch_itself_too(body: bytes, warning: str) -> None:
    patch_type = JSON_PATCH if body.startswith(b"[") else MERGE
    assert patch_type.read({}, patch_type.decode(body), POD_TARGET, "Warn").warnings == (warning,)


@pytest.mark.parametrize(
    ("patch_type", "body", "message"),
    [
        (MERGE, b"", "error decoding patch: unexpected end of JSON input"),
        (MERGE, b"[]", f"error decoding patch: {UNMARSHAL} array into Go value of type map[string]interface {{}}"),
        (MERGE, b"null", "Invalid JSON Patch"),
        (STRATEGIC, b"{", "unexpected end of JSON input"),
        (STRATEGIC, b'"x"', "json: cannot unmarshal string into Go value of type map[string]interface {}"),
        (JSON_PATCH, b"[1]", f"error decoding patch: {UNMARSHAL} number into Go value of type handlers.jsonPatchOp"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_patch_is_a_bad_request(patch_type: Any, body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as error:
        patch_type.decode(body)
    assert error.value.message == message
