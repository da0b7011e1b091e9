"""Field paths find entries of lists by what the API knows them by."""

from __future__ import annotations

import pytest

from autograder.checks.findings import NoSuchField
from autograder.checks.paths import MISSING, first_difference, look_up, render, resolve, steps

POD = {
    "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
    "spec": {
        "containers": [
            {"name": "sidecar", "image": "busybox"},
            {"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}, {"containerPort": 443}],
             "args": ["a", "b"]},
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.containers[web].image", "nginx"),
        ("spec.containers[sidecar].image", "busybox"),
        ("spec.containers[web].ports[http].containerPort", 80),
        ("spec.containers[web].ports[80].name", "http"),
        ("spec.containers[web].ports[443].containerPort", 443),
        ("spec.containers[web].args[1]", "b"),
        ("metadata.labels[app.kubernetes.io/name]", "web"),
    ],
)
def test_values_are_found_by_key(path: str, value: object) -> None:
    assert look_up(POD, steps(path)) == value


@pytest.mark.parametrize(
    "path", ["spec.containers[db]", "spec.replicas", "metadata.labels[app].x", "spec.containers[0]"]
)
def test_what_is_not_there_is_missing(path: str) -> None:
    assert look_up(POD, steps(path)) is MISSING


def test_keys_become_the_indexes_of_this_manifest() -> None:
    assert resolve(POD, steps("spec.containers[web].ports[80].name")) == ("spec", "containers", 1, "ports", 0, "name")


@pytest.mark.parametrize("path", ["spec..containers", "spec.containers[", "spec.[x]y z", "]"])
def test_a_path_that_is_none_is_the_authors_mistake(path: str) -> None:
    with pytest.raises(NoSuchField):
        steps(path)


def test_paths_are_written_as_they_are_read() -> None:
    for path in ("spec.containers[web].image", "metadata.labels[app.kubernetes.io/name]", "spec.hard[pods]"):
        assert render(steps(path)) == path


@pytest.mark.parametrize(
    ("before", "now", "path"),
    [
        ({"a": 1}, {"a": 1}, None),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, "a.c"),
        ({"a": 1}, {"a": 1, "b": 2}, "b"),
        ({"a": 1, "b": 2}, {"a": 1}, "b"),
        ({"containers": [{"name": "web", "image": "x"}]}, {"containers": [{"name": "web", "image": "y"}]},
         "containers[web].image"),
        ({"args": ["a", "b"]}, {"args": ["a", "c"]}, "args[1]"),
        ({"args": ["a"]}, {"args": ["a", "b"]}, "args"),
    ],
)  # fmt: skip
def test_the_first_difference_is_found(before: object, now: object, path: str | None) -> None:
    difference = first_difference(before, now)
    assert (render(difference.path) if difference else None) == path
