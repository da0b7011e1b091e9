"""More create requests and the answers of a real Kubernetes v1.36.2: richer manifests than those of ``admission/``.

The manifests use nearly every field of their kinds; each row breaks one or two things in one of them.
"""

from __future__ import annotations

import recorded

#: How many rows are answered alike; may only rise.
ALIKE = 3078

#: Every real cluster has these.
SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def test_richer_create_requests_are_answered_alike() -> None:
    server, different, total = recorded.new_server(), [], 0
    for name, value in SYSTEM_CLASSES.items():
        body = {"metadata": {"name": name}, "value": value}
        recorded.send(server, "POST", "/apis/scheduling.k8s.io/v1/priorityclasses", body)
    for row in recorded.rows("more/creates.jsonl.gz"):
        total += 1
        code, answer = recorded.send(recorded.fork(server), "POST", row["path"], row["request"])
        if not recorded.agrees(row, row["request"], code, answer):
            different.append(f"{row['id']}: {code} {answer.get('message', '')}")
    assert total - len(different) >= ALIKE, "\n".join(different)
