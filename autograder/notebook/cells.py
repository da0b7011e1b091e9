"""The names by which nbgrader knows the cells of an exercise, and what a student finds in an answer cell."""

from __future__ import annotations

import re
from typing import Final

_OTHER: Final = re.compile(r"[^a-z0-9]+")


def answer_id(exercise: str) -> str:
    """The ``grade_id`` of the answer to an exercise: ``answer-pods-first-pod``."""
    return f"answer-{_slug(exercise)}"


def check_id(exercise: str) -> str:
    """The ``grade_id`` of the check of an exercise: ``check-pods-first-pod``."""
    return f"check-{_slug(exercise)}"


def _slug(exercise: str) -> str:
    return _OTHER.sub("-", exercise.lower()).strip("-")
