"""``results.json`` as Gradescope specifies it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from generated_class import made_up

from autograder.grading.reports.gradescope import gradescope
from autograder.grading.reports.results import Results

#: The fields of https://gradescope-autograders.readthedocs.io/en/latest/specs/ that are written.
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"}, "execution_time": {"type": "integer"}, "output": {"type": "string"},
        "output_format": FORMAT, "test_output_format": FORMAT, "test_name_format": FORMAT, "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY, "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "score": {"type": "number"}, "max_score": {"type": "number"}, "status": {"enum": ["passed", "failed"]},
                "name": {"type": "string"}, "number": {"type": "string"}, "output": {"type": "string"},
                "extra_data": {"type": "object"},
            },
        }},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up(40)


def test_it_follows_the_specification(results: Results) -> None:
    for submission in results.submissions:
        jsonschema.validate(gradescope(results, submission), SCHEMA)


def test_the_tests_add_up_to_the_score(results: Results) -> None:
    for submission in results.submissions:
        document = gradescope(results, submission)
        assert sum(test.get("score", 0) for test in document["tests"]) == (submission.earned or 0)
        assert document.get("score") == submission.earned


def test_what_was_not_judged_has_no_score_but_a_reason(results: Results) -> None:
    unreadable = next(one for one in results.submissions if one.status == "unreadable")
    document = gradescope(results, unreadable)
    assert "score" not in document and not any("score" in test for test in document["tests"])
    output = next(test["output"] for test in document["tests"] if test["extra_data"]["status"] == "unreadable")
    assert "not judged: unreadable" in output and "is opened here and not closed" in output


def test_a_lost_criterion_says_wanted_found_where_and_why(results: Results) -> None:
    outputs = [test["output"] for one in results.submissions for test in gradescope(results, one)["tests"]
               if test["extra_data"].get("outcome") == "failed" and "image" in test["name"]]  # fmt: skip
    assert all(f"{label}: " in output for output in outputs for label in ("where", "wanted", "found", "why"))
    assert outputs
