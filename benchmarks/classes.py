"""A class of any size, made by rule: right answers, other right answers, wrong ones and untouched starters.

What students answer coincides, as in life.  ``distinct`` writes a comment of their own into every answer, so that no
two are the same and all have to be judged.
"""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from autograder.exercises import load
from autograder.exercises.exercise import Exercise
from autograder.grading.assignment import Notebook, grade_id, load_assignments
from autograder.grading.configuration import configuration
from autograder.grading.releasing import released

COURSE: Final = Path(__file__).parents[1] / "course"

#: Of so many answers in a hundred, in this order: solutions, accepted variants, mutants; the rest is untouched.
SHARES: Final = (40, 25, 28)


def make_course(folder: Path, lessons: Sequence[str]) -> Path:
    """A copy of the course with these lessons, in which nobody has handed in anything."""
    shutil.copytree(COURSE / "exercises", folder / "exercises")
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    for lesson in lessons:
        shutil.copytree(COURSE / "source" / lesson, folder / "source" / lesson)
    return folder


def hand_in(course: Path, students: int, *, distinct: bool = False, first: int = 0, seed: int = 0) -> int:
    """Let students hand in every lesson of a course; returns the number of submissions."""
    settings = configuration(course)
    assignments = load_assignments(course)
    exercises = {task.exercise: load(task.exercise, course / "exercises") for one in assignments for task in one.tasks}
    for assignment in assignments:
        for notebook in assignment.notebooks:
            document = json.loads(json.dumps(released(settings, assignment, notebook)))
            for number in range(first, first + students):
                student = f"student-{number:05}"
                dice = random.Random(f"{seed} {student} {notebook.name}")
                text = json.dumps(_filled_in(document, notebook, exercises, student if distinct else "", dice))
                place = course / "submitted" / student / assignment.name
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{notebook.name}.ipynb").write_text(text, encoding="utf-8")
    return students * len(assignments)


def _filled_in(
    document: dict[str, Any], notebook: Notebook, exercises: dict[str, Exercise], mark: str, dice: random.Random
) -> dict[str, Any]:
    """A released notebook with answers."""
    filled = copy.deepcopy(document)
    cells = {grade_id(cell): cell for cell in filled["cells"]}
    for task in notebook.tasks:
        answer = _answer(exercises[task.exercise], dice)
        if answer:
            comment = f"\n# {mark}" if mark else ""
            cells[task.answer_cell]["source"] = f"{task.opening}\n{answer.rstrip()}{comment}"
    return filled


def _answer(exercise: Exercise, dice: random.Random) -> str:
    """An answer, or '' for the starter."""
    known = (
        [text for name, text in files.items() if name.endswith(exercise.form.ending)]  # what the cell takes
        for files in (exercise.accepted, exercise.mutants)
    )
    kinds = ([exercise.solution], *known, [""])
    shares = (*SHARES, 100 - sum(SHARES))
    chosen = dice.choices([kind or kinds[0] for kind in kinds], shares)[0]
    lines = dice.choice(chosen).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#"))
