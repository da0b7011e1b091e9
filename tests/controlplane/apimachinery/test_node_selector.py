"""Where a pod may be, by what it asks of a node's name and labels."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.controlplane.apimachinery.node_selector import REQUIRED, required


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}}


FAST = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["fast"]}]}
FIRST = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}


@pytest.mark.parametrize(
    ("spec", "name", "labels", "admitted"),
    [
        ({}, "node-1", {}, True),
        ({"nodeSelector": {"disk": "fast"}}, "node-1", {"disk": "fast"}, True),
        ({"nodeSelector": {"disk": "fast"}}, "node-1", {"disk": "slow"}, False),
        (affinity(FAST), "node-1", {"disk": "fast"}, True),
        (affinity(FAST, FIRST), "node-1", {}, True),
        (affinity(FAST, FIRST), "node-2", {}, False),
        (affinity({**FAST, **FIRST}), "node-1", {}, False),
        (affinity({}), "node-1", {}, False),
        (affinity(), "node-1", {}, False),
        ({"nodeSelector": {"zone": "a"}, **affinity(FAST)}, "node-1", {"disk": "fast"}, False),
    ],
)
def test_which_nodes_a_pod_may_be_on(spec: dict[str, Any], name: str, labels: dict[str, str], admitted: bool) -> None:
    assert required(spec).matches(name, labels) is admitted
