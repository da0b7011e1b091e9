"""Requests that are refused as a whole are refused as by a real Kubernetes v1.36.2: paths, methods, forms, options.

``more/refusals.jsonl.gz``: ``method``, ``path``, ``headers`` and ``body``; ``code``, media ``type`` and ``answer``.
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import recorded

from autograder.controlplane.apimachinery.wire import ADMIN, Request

#: How many rows are answered alike; may only rise.
ALIKE = 392


def test_requests_are_refused_alike() -> None:
    server, different, total = recorded.new_server(), [], 0
    for row in recorded.rows("more/refusals.jsonl.gz"):
        total += 1
        path, _, query = row["path"].partition("?")
        values = parse_qs(query, keep_blank_values=True)
        body = row.get("body", "").encode()
        answer = server.handle(Request(row["method"], path, values, row["headers"], body, user=ADMIN))
        found = (answer.code, answer.content_type, json.loads(json.dumps(answer.body)))
        wanted = row["answer"]
        if answer.content_type == "application/yaml":  # written so by the front
            found, wanted = (*found[:2], None), None
        if found != (row["code"], row["type"], wanted):
            different.append(f"{row['method']} {row['path']} {row['headers']}: {found}")
    assert total - len(different) >= ALIKE, "\n".join(different)
