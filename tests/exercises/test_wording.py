"""Names and answers are found in texts as words, not as parts of words."""

from __future__ import annotations

import pytest

from autograder.exercises.wording import shared_run, stands_in


@pytest.mark.parametrize(
    ("value", "text", "there"),
    [("web", "named `web`,", True), ("web", "named `web-1`", False),
     ("3", "keeps three Pods", True), ("3", "13", False),
     ("nginx:1.27", "the image `nginx:1.27`", True)],
)  # fmt: skip
def test_names_stand_in_a_task_as_words(value: str, text: str, there: bool) -> None:
    assert stands_in(value, text) is there


def test_what_a_hint_has_in_common_with_the_solution_is_its_longest_run() -> None:
    solution = "kind: Pod\nmetadata:\n  name: web\nspec:\n  containers: []\n"
    assert shared_run("Write `metadata: {name: web}`, then the spec.", solution) == ["metadata:", "name:", "web"]
    assert shared_run("What is it called?", solution) == []
