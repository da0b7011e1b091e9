"""The schema check agrees with what a real API server answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autograder.manifests import check_schema, parse

RECORDINGS = sorted((Path(__file__).parents[1] / "golden" / "admission").glob("*.jsonl"))


def errors_in(request: object) -> list[str]:
    (document,) = parse(json.dumps(request)).documents
    return [str(problem) for problem in check_schema(document) if problem.severity == "error"]


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) > 20


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_the_server_refuses_as_unreadable_only_what_the_check_finds(recording: Path) -> None:
    exchanges: list[dict[str, Any]] = [json.loads(line) for line in recording.read_text().splitlines()]
    found = {one["id"]: errors_in(one["request"]) for one in exchanges}
    accepted = [one["id"] for one in exchanges if one["code"] < 300]
    unreadable = [one["id"] for one in exchanges if one["code"] == 400]
    assert accepted or unreadable
    assert {name: found[name] for name in accepted if found[name]} == {}
    assert [name for name in unreadable if not found[name]] == []
