"""Clients are warned of the same things as by a real Kubernetes v1.36.2, in the same words and order.

``more/warnings.jsonl.gz``: create requests, and updates of an object that was created as ``base``, sent with
``?dryRun=All&fieldManager=golden``. What differs between two recordings (warnings of several node labels come in any
order) is left out.
"""

from __future__ import annotations

import json

import recorded

from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.kube_apiserver.server import APIServer

#: How many rows are answered alike; may only rise.
ALIKE = 707


def _warned(server: APIServer, method: str, path: str, body: recorded.Object, **query: str) -> tuple[int, list[str]]:
    values = {"fieldManager": ["golden"], **{name: [value] for name, value in query.items()}}
    headers = {"content-type": "application/json", "user-agent": "golden/1"}
    answer = server.handle(Request(method, path, values, headers, json.dumps(body).encode(), user=ADMIN))
    return answer.code, answer.warnings


def test_clients_are_warned_alike() -> None:
    server, different, total = recorded.new_server(), [], 0
    for row in recorded.rows("more/warnings.jsonl.gz"):
        total += 1
        fork, path, method = recorded.fork(server), row["path"], "POST"
        if "base" in row:
            _warned(fork, "POST", path, row["base"])
            path, method = f"{path}/{row['base']['metadata']['name']}", "PUT"
        found = _warned(fork, method, path, row["request"], dryRun="All")
        if found != (row["code"], row["warnings"]):
            different.append(f"{row['id']}: {found}")
    assert total - len(different) >= ALIKE, "\n".join(different)
