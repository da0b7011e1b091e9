"""Variants made by rule: changed where they should be and nowhere else."""

from __future__ import annotations

import pytest

from autograder.checks.meaning import as_quantity
from autograder.exercises.equivalents import equivalents, spellings
from autograder.exercises.mutations import mutations, others
from autograder.exercises.rewriting import at, dropped, leaves, reordered, replaced
from autograder.manifests import parse

REPLICA_SET = {
    "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx", "resources": {"requests": {"cpu": "500m"}}}]}}},
}  # fmt: skip


def test_copies_share_nothing_that_was_changed() -> None:
    changed = replaced(REPLICA_SET, ("spec", "template", "spec", "containers", 0, "image"), "redis")
    assert at(changed, ("spec", "template", "spec", "containers", 0, "image")) == "redis"
    assert at(REPLICA_SET, ("spec", "template", "spec", "containers", 0, "image")) == "nginx"


def test_maps_are_made_on_the_way() -> None:
    assert replaced({}, ("metadata", "labels", "a"), "b") == {"metadata": {"labels": {"a": "b"}}}


def test_dropping_takes_empty_maps_along() -> None:
    without = dropped(REPLICA_SET, ("spec", "template", "spec", "containers", 0, "resources", "requests", "cpu"))
    assert at(without, ("spec", "template", "spec", "containers", 0)) == {"name": "web", "image": "nginx"}
    assert dropped({"a": {"b": [1, 2]}}, ("a", "b", 0)) == {"a": {"b": [2]}}
    assert dropped({"a": {"b": [1]}, "c": 2}, ("a", "b", 0)) == {"c": 2}


def test_leaves_are_scalars_and_empty_containers() -> None:
    assert dict(leaves({"a": [1, {"b": {}}], "c": "x"})) == {("a", 0): 1, ("a", 1, "b"): {}, ("c",): "x"}


def test_reordering_changes_keys_and_not_lists() -> None:
    turned = reordered(REPLICA_SET)
    assert turned == REPLICA_SET
    assert list(turned) == list(reversed(REPLICA_SET))


@pytest.mark.parametrize("value", ["500m", "0.25", 2, "2", "1Gi", "2048Mi", "4"])
def test_spellings_mean_the_same_amount(value: object) -> None:
    found = list(spellings(value))
    assert len(found) >= 3
    assert {as_quantity(spelling) for spelling in found} == {as_quantity(value)}


def test_equivalents_can_be_read_and_differ_in_name() -> None:
    names = set()
    for name, answer in equivalents([REPLICA_SET]):
        names.add(name)
        for source, text in answer.files.items():
            assert parse(text, source=source).problems == (), name
            if name == "quoted":
                assert '"kind": "ReplicaSet"' in text
    assert {"JSON", "matchExpressions", "images of docker.io/library/", "keys reversed"} <= names
    assert len(names) > 25


def test_mutations_change_graded_fields_only() -> None:
    graded = (0, "spec", "replicas")
    made = list(mutations([REPLICA_SET], [graded]))
    assert len(made) > 1
    for name, (changed,) in made:
        assert changed != REPLICA_SET, name
        assert at(changed, ("spec", "template")) == REPLICA_SET["spec"]["template"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "value"),
    [(("spec", "replicas"), 3), (("hard", "pods"), "10"), (("c", "image"), "nginx:1.27"), (("c", "image"), "nginx"),
     (("labels", "app"), "web"), (("spec", "hostNetwork"), True)],
)  # fmt: skip
def test_other_values_are_of_the_same_type_and_not_the_same(path: tuple[str, ...], value: object) -> None:
    found = list(others(path, value))
    assert found
    assert value not in found
    assert {type(other) for other in found} == {type(value)}
