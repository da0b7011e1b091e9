"""What an administrator does inside a cluster by the API alone: drain a node, send a request from a Pod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from autograder.clusters.interface import Cluster, Object

#: What sends the requests; it has an image for every architecture.
CURL: Final = "curlimages/curl:8.11.0"

#: Seconds that one request may take, and that the Pod which sends it may need altogether.
REQUEST_SECONDS: Final = 5
POD_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back from a request inside the cluster; ``code`` is 0 if nothing did, and ``body`` says why."""

    code: int
    body: str


def drain(cluster: Cluster, node: str) -> Sequence[str]:
    """Cordon a node and evict its Pods, as ``kubectl drain --ignore-daemonsets``; returns ``namespace/name`` of each.

    Pods of DaemonSets and static Pods stay, as they do under kubectl.
    """
    cluster.patch("Node", node, {"spec": {"unschedulable": True}})
    evicted = []
    for pod in cluster.list("Pod", "", fields=f"spec.nodeName={node}"):
        meta = pod["metadata"]
        owners = {owner["kind"] for owner in meta.get("ownerReferences", ())}
        if not owners & {"DaemonSet", "Node"}:
            cluster.evict(meta["name"], meta["namespace"])
            evicted.append(f"{meta['namespace']}/{meta['name']}")
    return evicted


def request(cluster: Cluster, url: str, namespace: str = "default") -> HttpAnswer:
    """GET a URL from a Pod that is made for it, its host name looked up as any Pod of the namespace would."""
    created = cluster.create(_sender(url), namespace)
    name = created["metadata"]["name"]

    def is_done() -> bool:
        return cluster.get("Pod", name, namespace)["status"].get("phase") in ("Succeeded", "Failed")

    done = cluster.wait_until(is_done, POD_SECONDS)
    output = cluster.logs(name, namespace) if done else "the Pod that was to send the request did not run\n000"
    cluster.delete("Pod", name, namespace, grace_period=0)
    body, _, code = output.rpartition("\n")
    return HttpAnswer(int(code), body) if code.isdecimal() else HttpAnswer(0, output)


def _sender(url: str) -> Object:
    """A Pod that sends one request; it states what it needs, so that it gets past a quota."""
    amounts = {"cpu": "10m", "memory": "16Mi"}
    arguments = ["-sS", "--max-time", str(REQUEST_SECONDS), "-w", "\\n%{http_code}", url]
    container = {
        "name": "curl", "image": CURL, "command": ["curl"], "args": arguments,
        "resources": {"requests": amounts, "limits": amounts},
    }  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "request-"},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }  # fmt: skip
