"""Laws that every patch type keeps, whatever the patch: strategic merge, JSON patch and server-side apply."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.kube_apiserver import fieldmanager
from autograder.controlplane.kube_apiserver.patching import apply_json_patch, apply_strategic_merge_patch

#: Enough to find what breaks a law, and no clock: a busy machine breaks none.
LAW = settings(max_examples=50, deadline=None)
NOW = "2026-01-01T09:00:00Z"
NAMES = st.sampled_from("abc")
TEXTS = st.text("xyz", max_size=2)
LABELS = st.dictionaries(NAMES, TEXTS, max_size=3)


def keyed(entries: Any) -> Any:
    """Lists whose entries have names of their own."""
    return st.lists(entries, max_size=3, unique_by=lambda entry: entry["name"])


ENV = st.fixed_dictionaries({"name": NAMES, "value": TEXTS})
CONTAINERS = st.fixed_dictionaries(
    {"name": NAMES, "image": TEXTS}, optional={"env": keyed(ENV), "args": st.lists(TEXTS)}
)
DOCUMENTS = st.fixed_dictionaries({
    "metadata": st.fixed_dictionaries({"name": st.just("web")}, optional={"labels": LABELS}),
    "spec": st.fixed_dictionaries({"containers": keyed(CONTAINERS)}),
})  # fmt: skip
GONE = st.fixed_dictionaries({"name": NAMES, "$patch": st.just("delete")})
STRATEGIC = st.fixed_dictionaries({}, optional={
    "metadata": st.fixed_dictionaries({"labels": st.dictionaries(NAMES, TEXTS | st.none(), max_size=3)}),
    "spec": st.fixed_dictionaries({"containers": keyed(CONTAINERS | GONE)}),
})  # fmt: skip
POINTERS = st.sampled_from(
    ["/metadata/labels/a", "/metadata/labels", "/spec/containers/0/image", "/spec/containers/-", "/spec/containers/1"]
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "test"]), "path": POINTERS, "value": TEXTS | CONTAINERS}
)


@LAW
@given(document=DOCUMENTS, patch=STRATEGIC)
def test_a_strategic_patch_applied_twice_equals_once(document: Any, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    once = apply_strategic_merge_patch(document, patch, "core/v1.Pod")
    assert apply_strategic_merge_patch(once, patch, "core/v1.Pod") == once
    assert (document, patch) == before


@LAW
@given(document=DOCUMENTS)
def test_an_empty_strategic_patch_and_one_of_the_document_itself_change_nothing(document: Any) -> None:
    assert apply_strategic_merge_patch(document, {}, "core/v1.Pod") == document
    assert apply_strategic_merge_patch(document, document, "core/v1.Pod") == document


@LAW
@given(document=DOCUMENTS, patch=st.lists(OPERATIONS, max_size=4))
def test_a_json_patch_is_carried_out_as_a_whole_or_not_at_all(document: Any, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    try:
        patched = apply_json_patch(document, patch)
    except StatusError as refused:
        assert refused.code in (400, 422)
    else:
        one_by_one = document
        for operation in patch:
            one_by_one = apply_json_patch(one_by_one, [operation])
        assert patched == one_by_one
    assert (document, patch) == before


def applied(live: Any, config: Any, manager: str) -> Any:
    whole = {"apiVersion": "v1", "kind": "Pod", **config}
    return fieldmanager.apply(PODS, live, whole, manager=manager, force=True, subresource="", now=NOW)


def labels(obj: Any) -> Any:
    return obj["metadata"].get("labels", {})


def images(obj: Any) -> dict[str, str]:
    containers = obj.get("spec", {}).get("containers") or ()  # where nobody owns any of it there may be no spec
    return {one["name"]: one["image"] for one in containers if "image" in one}


@LAW
@given(first=DOCUMENTS, second=DOCUMENTS)
def test_what_is_applied_is_there_and_applying_it_again_changes_nothing(first: Any, second: Any) -> None:
    before = copy.deepcopy((first, second))
    live = applied(applied(None, first, "alice"), second, "bob")
    assert labels(second).items() <= labels(live).items()
    assert images(second).items() <= images(live).items()
    assert applied(live, second, "bob") == live
    assert (first, second) == before


@LAW
@given(first=DOCUMENTS, second=DOCUMENTS)
def test_what_a_manager_lets_go_of_is_gone_and_what_others_hold_stays(first: Any, second: Any) -> None:
    both = applied(applied(None, first, "alice"), second, "bob")
    empty = {"metadata": {"name": "web"}, "spec": {"containers": []}}
    left = applied(both, empty, "alice")
    assert labels(left) == labels(second)
    assert images(left) == images(second)
