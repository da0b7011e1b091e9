"""Counts the Pods behind a Service, adds one, and opens the Service to the outside."""

from __future__ import annotations

from autograder.checks import Trial


def experiment(trial: Trial) -> dict[str, object]:
    """Count, let a Pod join, change the type, and ask a node on which none of the Pods is."""
    name = trial.values["name"]
    service = trial.object("Service", name)
    endpoints = _ready(trial, name)
    trial.create({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "visitor", "labels": {"app": name}},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]},
    })  # fmt: skip
    trial.after(20)
    joined = _ready(trial, name)
    changed = trial.patch(service, {"spec": {"type": "NodePort"}})
    trial.after(2)
    before, after = (one.field("spec.clusterIP").value for one in (service, changed))
    node = trial.cluster.get("Node", "control-plane", "")
    address = next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")
    answer = trial.request(f"http://{address}:{changed.field('spec.ports').value[0]['nodePort']}")
    return {
        "endpoints": endpoints,
        "joined": joined,
        "address": "same" if before == after else "other" if after else "none",
        "elsewhere": answer.code == 200,
    }


def _ready(trial: Trial, service: str) -> int:
    """The endpoints of a Service that are ready."""
    slices = trial.objects("EndpointSlice", labels={"kubernetes.io/service-name": service})
    found = [endpoint for piece in slices for endpoint in piece.object.get("endpoints") or ()]
    return sum(endpoint["conditions"].get("ready", True) for endpoint in found)
