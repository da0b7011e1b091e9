"""Applying: create what is not there, change what is, take out what is no longer written."""

from __future__ import annotations

import pytest

from autograder.clusters import Cluster, Object, apply
from autograder.controlplane.apimachinery.errors import StatusError

SETTINGS: Object = {
    "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
    "data": {"colour": "blue", "size": "big"},
}  # fmt: skip


def test_the_first_apply_creates(cluster: Cluster) -> None:
    assert apply(cluster, SETTINGS)["data"] == {"colour": "blue", "size": "big"}


def test_the_next_apply_changes_what_is_written_and_drops_what_no_longer_is(cluster: Cluster) -> None:
    apply(cluster, SETTINGS)
    assert apply(cluster, {**SETTINGS, "data": {"colour": "red"}})["data"] == {"colour": "red"}


def test_what_somebody_else_set_stays(cluster: Cluster) -> None:
    apply(cluster, SETTINGS)
    cluster.patch("ConfigMap", "settings", {"data": {"theirs": "yes"}})
    assert apply(cluster, {**SETTINGS, "data": {"colour": "red"}})["data"] == {"colour": "red", "theirs": "yes"}


def test_an_object_created_by_hand_is_merged(cluster: Cluster) -> None:
    cluster.create(SETTINGS)
    assert apply(cluster, {**SETTINGS, "data": {"colour": "red"}})["data"] == {"colour": "red", "size": "big"}


@pytest.mark.parametrize(
    "metadata", [None, "settings", [], {}, {"name": ""}, {"name": 3}, {"name": "x", "annotations": "none"}]
)
def test_malformed_metadata_is_refused_by_the_api_server(cluster: Cluster, metadata: object) -> None:
    with pytest.raises(StatusError):
        apply(cluster, {**SETTINGS, "metadata": metadata})
