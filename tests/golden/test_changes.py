"""Updates and patches are answered as a real Kubernetes v1.36.2 answered them."""

from __future__ import annotations

import json

import pytest
import recorded

from autograder.controlplane.kube_apiserver.server import APIServer

#: How many are answered alike; the numbers may only rise.
UPDATES_ALIKE = 1457
PATCHES_ALIKE = 49


@pytest.fixture(scope="module")
def server() -> APIServer:
    return recorded.new_server()


@pytest.fixture(scope="module")
def bases() -> dict[str, recorded.Object]:
    """The objects that are changed, each as it is created."""
    found: dict[str, recorded.Object] = json.loads((recorded.FOLDER / "changes/bases.json").read_text(encoding="utf-8"))
    return found


def test_updates_are_answered_alike(server: APIServer, bases: dict[str, recorded.Object]) -> None:
    total, different = 0, []
    for row in recorded.rows("changes/updates.jsonl"):
        total += 1
        base, fork = bases[row["base"]], recorded.fork(server)
        _, live = recorded.send(fork, "POST", row["path"], base, {})
        metadata = {**row["request"]["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
        path = f"{row['path']}/{base['metadata']['name']}"
        code, answer = recorded.send(fork, "PUT", path, {**row["request"], "metadata": metadata})
        if not recorded.agrees(row, row["request"], code, answer):
            different.append(f"{row['id']}: {code} {answer.get('message', '')}")
    assert total - len(different) >= UPDATES_ALIKE, "\n".join(different)


def test_patches_are_answered_alike(server: APIServer, bases: dict[str, recorded.Object]) -> None:
    total, different = 0, []
    for row in recorded.rows("changes/patches.jsonl"):
        total += 1
        fork = recorded.fork(server)
        recorded.send(fork, "POST", row["path"], bases[row["base"]], {})
        for step in row["steps"]:
            code, answer = recorded.send(fork, "PATCH", step["path"], step["patch"], step["params"], step["type"])
            if not recorded.agrees(step, bases[row["base"]], code, answer):
                different.append(f"{row['id']}: {code} {answer.get('message', '')}")
                break
    assert total - len(different) >= PATCHES_ALIKE, "\n".join(different)
