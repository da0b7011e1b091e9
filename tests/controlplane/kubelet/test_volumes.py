"""What a pod sees of ConfigMaps, Secrets and its own credentials while it runs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, PODS, SECRETS
from autograder.controlplane.apimachinery.wire import Request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


@pytest.mark.parametrize(
    ("kind", "volume", "before", "after"),
    [
        (CONFIGMAPS, {"configMap": {"name": "settings"}}, "old", "new"),
        (SECRETS, {"secret": {"secretName": "settings"}}, text("old"), text("new")),
        (CONFIGMAPS, {"projected": {"sources": [{"configMap": {"name": "settings"}}]}}, "old", "new"),
    ],
)
def test_a_changed_entry_reaches_the_files_of_a_pod_after_a_minute(
    world: Any, kind: scheme.ResourceType, volume: dict[str, Any], before: str, after: str
) -> None:
    manifest = {"apiVersion": "v1", "kind": kind.kind, "metadata": {"name": "settings"}, "data": {"MODE": before}}
    world.client.create(kind, "default", manifest)
    mounts = [{"name": "settings", "mountPath": "/etc/settings"}]
    world.sh("app", "sleep 1000", container={"volumeMounts": mounts}, volumes=[{"name": "settings", **volume}])
    world.client.patch(kind, "default", "settings", {"data": {"MODE": after}})
    world.cluster.advance(30)
    assert world.exec("app", "cat", "/etc/settings/MODE") == ("old", 0)
    world.cluster.advance(40)
    assert world.exec("app", "cat", "/etc/settings/MODE") == ("new", 0)


def test_variables_stay_as_they_were_when_the_container_started(world: Any) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"MODE": "old"}}
    world.client.create(CONFIGMAPS, "default", manifest)
    env = [{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "MODE"}}}]
    world.sh("app", "sleep 1000", container={"env": env})
    world.client.patch(CONFIGMAPS, "default", "settings", {"data": {"MODE": "new"}})
    world.cluster.advance(120)
    assert world.exec("app", "printenv", "MODE") == ("old\n", 0)


@pytest.mark.parametrize("container", [{"image": "busybox:1.36", "command": ["sleep", "1000"]}, {}])
def test_a_pod_has_a_token_that_the_api_server_takes_for_its_service_account(
    world: Any, container: dict[str, Any]
) -> None:
    world.cluster.advance(5)
    world.run("app", container)
    token, code = world.exec("app", "cat", f"{ACCOUNT}/token")
    assert code == 0
    review = {
        "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {},
    }  # fmt: skip
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    answer = world.cluster.handle(Request("POST", path, {}, headers, json.dumps(review).encode()))
    user = answer.body["status"]["userInfo"]
    assert user["username"] == "system:serviceaccount:default:default"
    assert user["extra"]["authentication.kubernetes.io/pod-name"] == ["app"]


def test_a_pod_knows_the_authority_and_its_namespace(world: Any) -> None:
    world.cluster.advance(5)
    world.sh("app", "sleep 1000")
    assert world.exec("app", "cat", f"{ACCOUNT}/namespace") == ("default", 0)
    authority = world.client.get(CONFIGMAPS, "default", "kube-root-ca.crt")["data"]["ca.crt"]
    assert world.exec("app", "cat", f"{ACCOUNT}/ca.crt") == (authority, 0)


@pytest.mark.parametrize(
    ("requests", "reason", "message"),
    [
        ({"cpu": "5"}, "OutOfcpu", "resource: cpu, requested: 5000, used: 0, capacity: 4000"),
        ({"memory": "9Gi"}, "OutOfmemory", "resource: memory, requested: 9663676416, used: 0, capacity: 8229720064"),
    ],
)
def test_a_kubelet_rejects_a_pod_that_was_put_on_its_node_and_does_not_fit(
    world: Any, requests: dict[str, str], reason: str, message: str
) -> None:
    pod = world.run("app", {"resources": {"requests": requests}})
    why = f"Node didn't have enough {message}"
    assert pod["status"]["phase"] == "Failed"
    assert (pod["status"]["reason"], pod["status"]["message"]) == (reason, f"Pod was rejected: {why}")
    assert world.events("app") == [("Warning", reason, why)]


def test_what_other_pods_of_the_node_ask_for_counts_until_they_have_ended(world: Any) -> None:
    resources = {"resources": {"requests": {"cpu": "3"}}}
    world.sh("first", "sleep 10", container=resources, restartPolicy="Never")
    assert world.run("second", resources)["status"]["reason"] == "OutOfcpu"
    world.cluster.advance(20)
    assert world.run("third", resources)["status"]["phase"] == "Running"


def test_a_rejected_pod_can_be_deleted(world: Any) -> None:
    world.run("app", {"resources": {"requests": {"cpu": "5"}}})
    world.client.delete(PODS, "default", "app")
    world.cluster.settle()
    assert not world.exists("app")
