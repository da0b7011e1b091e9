"""The three patch types hold to their laws and leave what they patch unchanged."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.controlplane.apimachinery.errors import BadRequest, Invalid
from autograder.controlplane.kube_apiserver.patching import (
    apply_json_patch,
    apply_merge_patch,
    apply_strategic_merge_patch,
)

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


def test_json_patch_must_be_a_list_of_operations() -> None:
    with pytest.raises(BadRequest):
        apply_json_patch(POD, {"op": "remove", "path": "/metadata"})


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


def test_an_entry_without_its_merge_key_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        strategic({"spec": {"containers": [{"image": "nginx"}]}})
