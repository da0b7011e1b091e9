"""Create requests are answered as a real Kubernetes v1.36.2 answered them: code, reason, message, causes, object."""

from __future__ import annotations

import pytest
import recorded

from autograder.controlplane.kube_apiserver.server import APIServer

#: File -> how many of its requests are answered alike; a number here may only rise.
ALIKE = {
    "configmap": 39,
    "cronjob": 100,
    "daemonset": 105,
    "deployment": 171,
    "deployment-recreate": 110,
    "endpointslice": 101,
    "horizontalpodautoscaler": 103,
    "ingress": 92,
    "job": 90,
    "limitrange": 104,
    "namespace": 21,
    "networkpolicy": 101,
    "node": 72,
    "persistentvolumeclaim": 56,
    "pod": 365,
    "pod-affinity": 301,
    "pod-minimal": 42,
    "poddisruptionbudget": 37,
    "priorityclass": 34,
    "replicaset": 142,
    "resourcequota": 69,
    "resourcequota-scoped": 80,
    "role": 69,
    "rolebinding": 66,
    "secret": 44,
    "service-clusterip": 90,
    "service-externalname": 30,
    "service-headless": 50,
    "service-loadbalancer": 96,
    "service-nodeport": 107,
    "serviceaccount": 16,
    "statefulset": 100,
}


@pytest.fixture(scope="module")
def server() -> APIServer:
    return recorded.new_server()


def test_every_recorded_file_is_held_against() -> None:
    assert {file.stem for file in (recorded.FOLDER / "admission").glob("*.jsonl")} == set(ALIKE)


@pytest.mark.parametrize("name", sorted(ALIKE))
def test_create_requests_are_answered_alike(server: APIServer, name: str) -> None:
    total, different = 0, []
    for row in recorded.rows(f"admission/{name}.jsonl"):
        total += 1
        code, answer = recorded.send(recorded.fork(server), "POST", row["path"], row["request"])
        if not recorded.agrees(row, row["request"], code, answer):
            different.append(f"{row['id']}: {code} {answer.get('message', '')}")
    assert total - len(different) >= ALIKE[name], "\n".join(different)
