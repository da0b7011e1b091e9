"""A cluster that somebody else runs: their work in it, the least rights for us, and all that is theirs, to compare."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

import yaml

from autograder.clusters.connection import Connection
from autograder.clusters.kinds import kind_of
from autograder.clusters.leftovers import PREFIX
from autograder.controlplane.apimachinery.scheme import NODES, RESOURCES, SERVICEACCOUNTS

RIGHTS: Final = Path("deploy/kubeconfig-rbac.yaml")
ACCOUNT: Final = "autograder"

#: What the cluster writes again and again by itself.
RESTLESS: Final = frozenset({"Lease", "Event"})

THEIRS: Final = """
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27", resources: {requests: {cpu: 100m}}}]}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop},
 spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 31999}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: dev, namespace: default}, data: {namespace: default}}
---
{apiVersion: v1, kind: Secret, metadata: {name: key, namespace: shop}, stringData: {key: secret}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: few, namespace: shop}, spec: {hard: {pods: "9"}}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web, namespace: shop},
 spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: autograder-of-somebody-else}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: autograder-of-somebody-else}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: theirs}, value: 7}
"""


def furnish(owner: Connection) -> None:
    """Put somebody's work, and the rights that we ask for, into the cluster."""
    for document in (*yaml.safe_load_all(THEIRS), *yaml.safe_load_all(RIGHTS.read_text(encoding="utf-8"))):
        owner.send("POST", kind_of(document), document["metadata"].get("namespace", ""), body=document)


def rested(owner: Connection, patience: float = 200) -> dict[str, str]:
    """Everything else once all Pods are ready and nothing has changed for a moment."""
    before: dict[str, str] = {}
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = everything_else(owner)
        web = json.loads(found["deployments.apps shop/web"])
        pods = [json.loads(text) for what, text in found.items() if what.startswith("pods. ")]
        is_there = web["status"].get("availableReplicas") == web["spec"]["replicas"]
        if found == before and is_there and all(map(_is_ready, pods)):
            return found
        before = found
        time.sleep(0.5)
    raise AssertionError(f"the cluster was not at rest within {patience} seconds")


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def with_least_rights(config: Path, folder: Path) -> Path:
    """A kubeconfig with the token of our ServiceAccount, and nothing else, among others that are not to be used.

    It is valid for a month of the cluster's time, which passes quickly.
    """
    month = {"expirationSeconds": 30 * 86400}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": month}
    answer = Connection(config).send("POST", SERVICEACCOUNTS, ACCOUNT, ACCOUNT, "token", body=request)
    known = yaml.safe_load(config.read_text())
    cluster = known["contexts"][0]["context"]["cluster"]
    known["users"] = [{"name": ACCOUNT, "user": {"token": json.loads(answer)["status"]["token"]}}]
    known["contexts"] = [{"name": "class", "context": {"cluster": cluster, "user": ACCOUNT}}]
    known["current-context"] = "class"
    path = folder / "least"
    path.write_text(yaml.safe_dump(known))
    return path


def everything_else(owner: Connection) -> dict[str, str]:
    """Every object that is not in a namespace of ours, byte for byte, apart from what is restless by itself."""
    found: dict[str, str] = {}
    for kind in RESOURCES:
        if "list" not in kind.verbs or kind.kind in RESTLESS:
            continue
        for obj in json.loads(owner.send("GET", kind))["items"]:
            meta = obj["metadata"]
            place = meta["name"] if kind.kind == "Namespace" else meta.get("namespace", "")
            if not place.startswith(PREFIX) or place == "autograder-of-somebody-else":
                found[f"{kind.plural}.{kind.group} {place}/{meta['name']}"] = json.dumps(_calm(kind, obj))
    return found


def _calm(kind: Any, obj: dict[str, Any]) -> dict[str, Any]:
    """A Node without its heartbeat and the images that any Pod has brought."""
    if kind is not NODES:
        return obj
    status = {key: value for key, value in obj["status"].items() if key != "images"}
    status["conditions"] = [{**one, "lastHeartbeatTime": ""} for one in status["conditions"]]
    meta = {key: value for key, value in obj["metadata"].items() if key not in ("resourceVersion", "managedFields")}
    return {**obj, "metadata": meta, "status": status}
