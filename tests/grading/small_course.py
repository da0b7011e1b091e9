"""A small course, and the notebooks that a class hands in for it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.grading.assignment import Assignment, load_assignments
from autograder.grading.engine import Engine
from autograder.grading.graded import GradedSubmission
from autograder.grading.submissions import Submission

Cell = dict[str, Any]
Json = dict[str, Any]

TASK = """\
---
title: {title}
kind: manifest
points: {points}
minutes: 5
---
Write the ConfigMap `{name}` with the colour blue and the size 3.
"""
SOLUTION = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  colour: blue\n  size: '3'\n"
CHECKS = '''\
from autograder.checks import Review, criterion, gate


@gate("exists")
def exists(review: Review) -> None:
    """Who looks for it knows its name."""
    review.object("ConfigMap", "{name}")


@criterion("colour", points=1)
def colour(review: Review) -> None:
    """Colours matter."""
    review.object("ConfigMap", "{name}").field("data.colour").equals("blue")


@criterion("size", points=2)
def size(review: Review) -> None:
    """Size matters."""
    review.object("ConfigMap", "{name}").field("data.size").equals("3")
'''

#: The small course: an assignment of one notebook with two exercises of 3 points each.
ASSIGNMENT, NOTEBOOK = "01-maps", "01-maps"
EXERCISES = ("maps/settings", "maps/limits")

ROOT = Path(__file__).parents[2]


def answer_to(exercise: str) -> str:
    """A right answer."""
    return SOLUTION.format(name=exercise.partition("/")[2])


def file_of(exercise: str) -> str:
    return f"{exercise.partition('/')[2]}.yaml"


def cell_id(kind: str, exercise: str) -> str:
    return f"{kind}-{exercise.replace('/', '-')}"


def code(source: str, identity: str, **marks: Any) -> Cell:
    known = {"grade_id": identity, "schema_version": 3, "task": False, "locked": False, **marks}
    return {
        "cell_type": "code", "id": identity, "metadata": {"nbgrader": known}, "source": source, "outputs": [],
        "execution_count": None,
    }  # fmt: skip


def source_notebook() -> Json:
    """The instructor's notebook of the small course."""
    cells: list[Cell] = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Maps"}]
    for exercise in EXERCISES:
        region = f"### BEGIN SOLUTION\n{answer_to(exercise)}### END SOLUTION"
        answer = f"%%manifest {file_of(exercise)}\n{region}"
        cells.append(code(answer, cell_id("answer", exercise), grade=False, solution=True))
        check = f'check("{exercise}")'
        cells.append(code(check, cell_id("check", exercise), grade=True, solution=False, locked=True, points=3))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def submitted_notebook(answers: dict[str, str] | None = None) -> Json:
    """A student's notebook; without ``answers`` both are right."""
    answers = {exercise: answer_to(exercise) for exercise in EXERCISES} if answers is None else answers
    notebook = source_notebook()
    for exercise in EXERCISES:
        cell = cell_of(notebook, cell_id("answer", exercise))
        cell["source"] = f"%%manifest {file_of(exercise)}\n{answers.get(exercise, '')}"
    return notebook


def with_essay(notebook: Json, text: str) -> Json:
    """The notebook with a free text of 5 points, which a person grades."""
    marks = {"grade_id": "essay", "grade": True, "solution": True, "locked": False, "points": 5, "schema_version": 3,
             "task": False}  # fmt: skip
    cell = {"cell_type": "markdown", "id": "essay", "metadata": {"nbgrader": marks}, "source": text}
    return {**notebook, "cells": [*notebook["cells"], cell]}


def cell_of(notebook: Json, identity: str) -> Cell:
    """A cell of a notebook by its grade_id."""
    found: list[Cell] = [
        cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == identity
    ]
    return found[0]


@dataclass(frozen=True)
class SmallCourse:
    """The folder of a course, and how students hand in."""

    root: Path

    @property
    def assignment(self) -> Assignment:
        return load_assignments(self.root)[0]

    def hand_in(self, student: str, content: Json | bytes | None = None) -> Path:
        """A student hands in a notebook, by default with right answers; returns where it lies."""
        path = self.root / "submitted" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        content = submitted_notebook() if content is None else content
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def submission(self, student: str) -> Submission:
        return Submission(student, ASSIGNMENT, self.root / "submitted" / student / ASSIGNMENT)


def build(root: Path) -> SmallCourse:
    """Write the course's files into a folder."""
    for exercise in EXERCISES:
        folder, name = root / "exercises" / exercise, exercise.partition("/")[2]
        folder.mkdir(parents=True)
        (folder / "task.md").write_text(TASK.format(title=name, points=3, name=name))
        (folder / "starter.yaml").write_text("# apiVersion: ...\n")
        (folder / "solution.yaml").write_text(SOLUTION.format(name=name))
        (folder / "hints.md").write_text("It is a map.\n---\nNumbers in it are texts.\n")
        (folder / "checks.py").write_text(CHECKS.format(name=name))
    source = root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(source_notebook()))
    shutil.copy(ROOT / "course" / "nbgrader_config.py", root)
    return SmallCourse(root)


class Grading:
    """Grades what one student hands in."""

    def __init__(self, course: SmallCourse, engine: Engine) -> None:
        self._course, self._engine = course, engine

    def __call__(self, content: Json | bytes | None = None, student: str = "ada") -> GradedSubmission:
        """Hand in, and grade it."""
        self._course.hand_in(student, content)
        return self.of(student)

    def of(self, student: str) -> GradedSubmission:
        """Grade what lies there."""
        return self._engine.grade(self._course.assignment, self._course.submission(student))


def scores(graded: GradedSubmission) -> list[float | None]:
    """The scores of a submission, in order."""
    return [one.score for one in graded.graded]
