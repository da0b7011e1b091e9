"""The schema check agrees with what a real API server answered, where the recordings are at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autograder.manifests import check_schema, parse

RECORDINGS = sorted((Path(__file__).parents[3] / "shared" / "golden" / "admission").glob("*.jsonl"))


@pytest.mark.skipif(not RECORDINGS, reason="the recordings are not part of the repository")
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_the_server_refuses_as_unreadable_only_what_the_check_finds(recording: Path) -> None:
    for line in recording.read_text().splitlines():
        exchange: dict[str, Any] = json.loads(line)
        (document,) = parse(json.dumps(exchange["request"])).documents
        errors = [str(problem) for problem in check_schema(document) if problem.severity == "error"]
        if exchange["code"] < 300:
            assert errors == [], exchange["id"]
        elif exchange["code"] == 400:
            assert errors, exchange["id"]
