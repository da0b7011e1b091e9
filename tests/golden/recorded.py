"""Holds the API server against recorded answers of a real Kubernetes v1.36.2, in this process.

``admission/*.jsonl`` are create requests, ``changes/updates.jsonl`` updates of the objects of ``changes/bases.json``,
``changes/patches.jsonl`` sequences of patches. What two servers that behave alike may answer differently (uids, times,
addresses and ports that the server picks) is blanked in the recording, and here in the answers.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.client import Client
from autograder.controlplane.clock import Clock
from autograder.controlplane.etcd import MemoryStore
from autograder.controlplane.kube_apiserver.backend import Backend, stamp
from autograder.controlplane.kube_apiserver.server import APIServer

Object = dict[str, Any]
Row = dict[str, Any]

FOLDER = Path(__file__).parent
NAMESPACE = "golden"
STRICT = {"fieldValidation": ["Strict"], "fieldManager": ["golden"]}

_DROPPED = frozenset({"uid", "resourceVersion", "managedFields", "selfLink"})
_TIMES = frozenset({"creationTimestamp", "deletionTimestamp"})
_JOB_UIDS = frozenset({"controller-uid", "batch.kubernetes.io/controller-uid"})


def rows(file: str) -> Iterator[Row]:
    """The recorded requests and answers of one file."""
    path = FOLDER / file
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def new_server() -> APIServer:
    """An API server with no components around it, and what was there when the answers were recorded."""
    server = APIServer(Backend(MemoryStore(stamp), Clock(), random.Random(0)), lambda: None)
    client = Client(server.handle, ADMIN)
    client.create(scheme.NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    client.create(scheme.SERVICEACCOUNTS, NAMESPACE, account)
    return server


def fork(server: APIServer) -> APIServer:
    """A throw-away copy of a server, so that no request sees another."""
    return server.fork(Clock(server.backend.clock.now), lambda: None)


def send(
    server: APIServer,
    method: str,
    path: str,
    body: Any,
    query: Mapping[str, Any] = STRICT,
    media_type: str = "application/json",
) -> tuple[int, Object]:
    """The code and the document that the server answers with."""
    values = {name: value if isinstance(value, list) else [str(value)] for name, value in query.items()}
    headers = {"content-type": media_type, "user-agent": "python-httpx/0.28"}
    request = Request(method, path, values, headers, json.dumps(body).encode(), user=ADMIN)
    response = server.handle(request)
    answer: Object = json.loads(json.dumps(response.body))
    return response.code, answer


def agrees(recorded: Row, asked: Object, code: int, answer: Object) -> bool:
    """Whether the answer is the recorded one: the same object, or the same refusal."""
    want, got = recorded["response"], blanked_addresses(asked, blanked(answer))
    if code != recorded["code"]:
        return False
    if code < 300:
        return bool(want == got)
    same = all(want.get(name) == got.get(name) for name in ("reason", "message"))
    return same and _causes(want) == _causes(got)


def blanked(node: Any, key: str = "") -> Any:
    """The answer without what differs between two servers that behave alike."""
    if isinstance(node, dict):
        return {
            name: "<time>" if name in _TIMES and isinstance(value, str) else blanked(value, name)
            for name, value in node.items()
            if name not in _DROPPED
        }
    if isinstance(node, list):
        return [blanked(one, key) for one in node]
    if not isinstance(node, str):
        return node
    if key in _JOB_UIDS:
        return "<uid>"
    text = node.split("\n@@")[0] if key == "message" else node
    return re.sub(r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<suffix>", text)


def blanked_addresses(asked: Object, answer: Object) -> Object:
    """The Service without the addresses and ports that the server picked for it."""
    if asked.get("kind") != "Service" or answer.get("kind") != "Service":
        return answer
    spec, wanted = answer.get("spec") or {}, asked.get("spec") or {}
    if not wanted.get("clusterIP") and spec.get("clusterIP") not in (None, "", "None"):
        spec["clusterIP"], spec["clusterIPs"] = "<ip>", ["<ip>"]
    ports = wanted.get("ports") or []
    for position, port in enumerate(spec.get("ports") or []):
        if "nodePort" in port and not (position < len(ports) and ports[position].get("nodePort")):
            port["nodePort"] = "<nodePort>"
    if "healthCheckNodePort" in spec:
        spec["healthCheckNodePort"] = "<nodePort>"
    return answer


def _causes(status: Object) -> list[tuple[str, str, str]]:
    listed = (status.get("details") or {}).get("causes") or []
    return sorted((one.get("field", ""), one.get("reason", ""), one.get("message", "")) for one in listed)
