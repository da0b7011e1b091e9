"""When the surroundings of an answer are there on a cluster whose time is real."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.clusters import Cluster, Object
from autograder.exercises.places import _is_up


class Listed:
    """A cluster that has only lists."""

    def __init__(self, **lists: list[Object]) -> None:
        self._lists = lists

    def list(self, kind: str, namespace: str) -> list[Object]:
        assert not namespace
        return self._lists.get(kind, [])


def pod(name: str, ready: bool = True) -> Object:
    conditions = [{"type": "Ready", "status": str(ready)}]
    meta = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    return {"kind": "Pod", "metadata": meta, "spec": {}, "status": {"conditions": conditions}}


def service(**spec: Any) -> Object:
    meta = {"name": "web", "namespace": "default"}
    return {"kind": "Service", "metadata": meta, "spec": {"selector": {"app": "web"}, **spec}}


def piece(*pods: str, ready: bool = True) -> Object:
    meta = {"name": "web-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "web"}}
    endpoints = [{"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": name}} for name in pods]
    return {"kind": "EndpointSlice", "metadata": meta, "endpoints": endpoints}


@pytest.mark.parametrize(
    ("lists", "up"),
    [
        ({}, True),
        ({"Pod": [pod("a")]}, True),
        ({"Pod": [pod("a"), pod("b", ready=False)]}, False),
        ({"Pod": [pod("a"), pod("b")], "Service": [service()], "EndpointSlice": [piece("a", "b")]}, True),
        ({"Pod": [pod("a"), pod("b")], "Service": [service()], "EndpointSlice": [piece("a")]}, False),
        ({"Pod": [pod("a")], "Service": [service()], "EndpointSlice": [piece("a", ready=False)]}, False),
        ({"Pod": [pod("a")], "Service": [service()], "EndpointSlice": [{**piece(), "endpoints": None}]}, False),
        ({"Pod": [pod("a")], "Service": [service(selector={"app": "nobody"})]}, True),
        ({"Pod": [pod("a")], "Service": [service(selector=None)]}, True),
        ({"Pod": [pod("a")], "Service": [service(type="ExternalName")]}, True),
    ],
)
def test_all_pods_are_ready_and_on_the_lists_of_their_services(lists: dict[str, list[Object]], up: bool) -> None:
    cluster: Cluster = Listed(**lists)  # type: ignore[assignment]
    assert _is_up(cluster) is up
