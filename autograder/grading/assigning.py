"""The command ``autograder assign``: a copy of an assignment for each student, with the values drawn for them.

    release/<student>/<assignment>/<notebook>.ipynb, individual.json, and whatever else lies beside the source

Each notebook is what ``nbgrader generate_assignment`` makes of the source, but for the tasks and starters of exercises
whose values are drawn.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from autograder.exercises import BadExercise, Exercise, load
from autograder.exercises.sheets import FILE, KEY, Sheet
from autograder.grading import gradebook
from autograder.grading.assignment import (
    Assignment,
    BadCourse,
    Notebook,
    exercises_of,
    find_course,
    grade_id,
    load_assignments,
)
from autograder.grading.configuration import Configuration, configuration
from autograder.grading.disk import in_words
from autograder.grading.gradebook_rows import GradebookError
from autograder.grading.individual import Individual
from autograder.grading.releasing import for_students
from autograder.grading.submissions import NAME_LIMIT

Document = dict[str, Any]

#: What a roster's column of names may be called; a table of one column needs no such line.
COLUMNS: Final = ("id", "student", "student_id", "username")
DONE, NOT_DONE = 0, 2


def assign(options: argparse.Namespace) -> int:
    """Write the copies; 0 if all are written, 2 if something of the course or the names cannot be used."""
    try:
        course = find_course(options.course)
        students = names(options.students, options.roster, course)
        assignment = load_assignments(course, options.assignment)[0]
        individual = Individual.of(course)
        settings = configuration(course)
        count = sum(1 for _ in write(settings, assignment, individual, students))
        with closing(gradebook.Recorder(settings)) as recorder:
            recorder.introduce(assignment)  # nbgrader grades only what it knows
    except (BadCourse, BadExercise, GradebookError, OSError) as error:
        print(f"autograder assign: {in_words(error)}", file=sys.stderr)
        return NOT_DONE
    where = os.path.relpath(course / "release")
    print(f"{count} copies of {assignment.name} are in {where}/STUDENT/{assignment.name}/")
    if not individual.drawn:
        print("All have the same values: the course has no secret (autograder secret).")
    return DONE


def names(given: Iterable[str], roster: Path | None, course: Path) -> list[str]:
    """The students that are meant: those named, those of a table, else those of the gradebook; ``BadCourse`` if none.

    A name is that of a folder, so that it must be a plain one.
    """
    found = [*given, *(_of_roster(roster) if roster else ())]
    if not found:
        found = _of_gradebook(course)
    if not found:
        raise BadCourse("no student is named: use --students or --roster, or put students into the gradebook")
    for name in found:
        if (
            not name
            or not name.isprintable()
            or len(name) > NAME_LIMIT
            or name != Path(name).name
            or name.startswith(".")
        ):
            raise BadCourse(f"{name!a} is no name for a student's folder")
    return list(dict.fromkeys(found))


def write(
    settings: Configuration, assignment: Assignment, individual: Individual, students: Iterable[str]
) -> Iterator[Path]:
    """Write the copy of each student; yields its folder.  A folder that was there is replaced."""
    exercises = _exercises(settings.course, assignment)
    released = [(notebook, for_students(settings, assignment, notebook)) for notebook in assignment.notebooks]
    for student in students:
        sheet = individual.sheet(assignment.name, exercises.values(), student) if individual.drawn else None
        own = {name: individual.exercise(exercise, student) for name, exercise in exercises.items()}
        folder = settings.course / "release" / student / assignment.name
        partly = folder.with_name(f".{assignment.name}.partly")
        shutil.rmtree(partly, ignore_errors=True)
        _copy_others(settings.course / "source" / assignment.name, partly)
        for notebook, document in released:
            copied = individual_copy(document, notebook, exercises, own, sheet)
            text = json.dumps(copied, indent=1, ensure_ascii=False)
            (partly / f"{notebook.name}.ipynb").write_text(f"{text}\n", encoding="utf-8")
        if sheet is not None:
            (partly / FILE).write_text(f"{json.dumps(sheet.to_json(), indent=1)}\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partly.replace(folder)
        yield folder


def individual_copy(
    document: Document,
    notebook: Notebook,
    exercises: dict[str, Exercise],
    own: dict[str, Exercise],
    sheet: Sheet | None,
) -> Document:
    """A released notebook with a student's tasks, starters and sheet; ``BadCourse`` if a task is not found in it."""
    copied = copy.deepcopy(document)
    if sheet is None:
        return copied
    copied["metadata"][KEY] = sheet.to_json()
    for task in notebook.tasks:
        general, mine = exercises[task.exercise], own[task.exercise]
        if general.values == mine.values:
            continue
        cells = copied["cells"]
        texts = [cell for cell in cells if cell["cell_type"] == "markdown" and general.task.strip() in cell["source"]]
        answers = [cell for cell in cells if grade_id(cell) == task.answer_cell]
        if not texts or general.starter.strip("\n") not in answers[0]["source"]:
            raise BadCourse(
                f"{notebook.name}.ipynb does not have the text of {general.id} as the exercise has it; make the "
                "notebooks again"
            )
        for cell in texts:
            cell["source"] = cell["source"].replace(general.task.strip(), mine.task.strip())
        answers[0]["source"] = answers[0]["source"].replace(general.starter.strip("\n"), mine.starter.strip("\n"))
    return copied


def _exercises(course: Path, assignment: Assignment) -> dict[str, Exercise]:
    return {task.exercise: load(task.exercise, exercises_of(course)) for task in assignment.tasks}


def _copy_others(source: Path, target: Path) -> None:
    """Copy what lies beside the notebooks of the source, but for traces of somebody's work."""
    ignored = shutil.ignore_patterns("*.ipynb", ".*", "__pycache__", "work", FILE)
    shutil.copytree(source, target, ignore=ignored)


def _of_roster(path: Path) -> list[str]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadCourse(f"{path} is no table of comma-separated values: {error}") from error
    heads = [head.lower() for head in rows[0]] if rows else []
    column = next((heads.index(name) for name in COLUMNS if name in heads), None)
    if column is None and len(heads) > 1:
        known = ", ".join(COLUMNS[1:])
        raise BadCourse(
            f"{path}:1: no column is called {COLUMNS[0]} ({known} will do too); which one names the folders?"
        )
    return [row[column or 0] for row in rows[0 if column is None else 1 :] if len(row) > (column or 0)]


def _of_gradebook(course: Path) -> list[str]:
    if not (course / "gradebook.db").is_file():
        return []
    with gradebook.opened(configuration(course)) as known:
        return sorted(student.id for student in known.students)
