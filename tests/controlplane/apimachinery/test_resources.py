"""What a pod asks for as a whole is more than one way of adding up its containers."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.controlplane.apimachinery import resources

Object = dict[str, Any]


def container(cpu: str, **fields: Any) -> Object:
    return {"resources": {"requests": {"cpu": cpu}}, **fields}


SIDECAR: Object = {"restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("init", "cpu"),
    [
        ([], "3"),
        ([container("2")], "3"),
        ([container("5")], "5"),
        ([container("1", **SIDECAR)], "4"),
        ([container("1", **SIDECAR), container("4")], "5"),
        ([container("4"), container("1", **SIDECAR)], "4"),
    ],
)
def test_containers_run_together_init_containers_one_after_another_and_sidecars_beside_both(
    init: list[Object], cpu: str
) -> None:
    spec = {"containers": [container("1"), container("2")], "initContainers": init}
    assert resources.texts(resources.aggregate_containers(spec, "requests")) == {"cpu": cpu}
    assert resources.texts(resources.pod_requests({**spec, "overhead": {"cpu": "100m"}}))["cpu"] == f"{cpu}100m"


@pytest.mark.parametrize("name", ["cpu", "memory", "hugepages-2Mi"])
def test_what_the_pod_states_counts_instead_of_what_its_containers_do(name: str) -> None:
    spec = {"containers": [container("1")], "resources": {"requests": {name: "8"}}}
    assert resources.texts(resources.pod_requests(spec)) == {"cpu": "1", name: "8"}
