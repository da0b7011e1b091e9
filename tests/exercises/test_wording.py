"""Names and answers are found in texts as words, not as parts of words."""

from __future__ import annotations

import pytest

from autograder.exercises.wording import stands_in


@pytest.mark.parametrize(
    ("value", "text", "there"),
    [("web", "named `web`,", True), ("web", "named `web-1`", False),
     ("3", "keeps three Pods", True), ("3", "13", False),
     ("nginx:1.27", "the image `nginx:1.27`", True)],
)  # fmt: skip
def test_names_stand_in_a_task_as_words(value: str, text: str, there: bool) -> None:
    assert stands_in(value, text) is there
