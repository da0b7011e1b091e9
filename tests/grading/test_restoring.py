"""Whatever was done to cells that are not the student's is undone, noted, and earns nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
from small_course import EXERCISES, Grading, Json, SmallCourse, cell_id, cell_of, scores, submitted_notebook

from autograder.grading.assignment import grade_id
from autograder.grading.restoring import blank, restored

FIRST, SECOND = EXERCISES
ANSWER, CHECK = cell_id("answer", FIRST), cell_id("check", FIRST)
WRONG = {FIRST: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: wrong}\n", SECOND: ""}


def change(identity: str, **values: object) -> Callable[[Json], None]:
    def changed(notebook: Json) -> None:
        cell_of(notebook, identity).update(copy.deepcopy(values))

    return changed


def mark(identity: str, **marks: object) -> Callable[[Json], None]:
    def marked(notebook: Json) -> None:
        cell_of(notebook, identity)["metadata"]["nbgrader"].update(marks)

    return marked


def tag(notebook: Json) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]


def copy_check(notebook: Json) -> None:
    notebook["cells"].append(copy.deepcopy(cell_of(notebook, CHECK)))


def forget_marks(notebook: Json) -> None:
    for cell in notebook["cells"]:
        cell["metadata"].pop("nbgrader", None)


def delete(identity: str) -> Callable[[Json], None]:
    def deleted(notebook: Json) -> None:
        notebook["cells"].remove(cell_of(notebook, identity))

    return deleted


def claim_a_name(notebook: Json) -> None:
    marks = {"grade_id": "bonus", "grade": True, "solution": False, "locked": True, "points": 100, "schema_version": 3}
    notebook["cells"].append({"cell_type": "code", "metadata": {"nbgrader": marks}, "source": "100.0"})


def fake_output(notebook: Json) -> None:
    result = {"output_type": "execute_result", "data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 1}
    cell_of(notebook, CHECK)["outputs"] = [result]


TAMPERING = [
    pytest.param(tag, "tags", id="tag skip-execution"),
    pytest.param(copy_check, "stands more than once", id="copied check cell"),
    pytest.param(mark(CHECK, grade=False), "marks", id="grade=false"),
    pytest.param(mark(CHECK, solution=True), "marks", id="solution=true"),
    pytest.param(mark(CHECK, points=100), "marks", id="points"),
    pytest.param(mark(CHECK, locked=False), "marks", id="unlocked"),
    pytest.param(mark(CHECK, schema_version=1), "", id="older schema"),
    pytest.param(mark(CHECK, schema_version=99), "", id="newer schema"),
    pytest.param(change(CHECK, source="3.0"), "was changed", id="edited check"),
    pytest.param(change(CHECK, source="print('4')"), "was changed", id="prints points"),
    pytest.param(change(CHECK, cell_type="markdown"), "markdown cell", id="markdown check"),
    pytest.param(change(ANSWER, cell_type="raw"), "raw cell", id="raw answer"),
    pytest.param(delete(CHECK), "was missing", id="deleted check"),
    pytest.param(delete(ANSWER), "was missing", id="deleted answer"),
    pytest.param(forget_marks, "was missing", id="metadata removed"),
    pytest.param(claim_a_name, "does not know", id="unknown graded cell"),
    pytest.param(fake_output, "", id="output given"),
    pytest.param(lambda notebook: notebook["cells"].reverse(), "", id="reversed"),
    pytest.param(lambda notebook: notebook["metadata"].update(kernelspec={"name": "sh"}), "", id="kernel"),
    pytest.param(lambda notebook: notebook["metadata"].update(autograder={"unreadable": ""}), "", id="our notes"),
]


@pytest.mark.parametrize(("tamper", "noted"), TAMPERING)
def test_tampering_earns_nothing_and_is_noted(grade: Grading, tamper: Callable[[Json], None], noted: str) -> None:
    notebook = submitted_notebook(WRONG)
    tamper(notebook)
    graded = grade(notebook)
    assert sum(score or 0 for score in scores(graded)) == 0
    assert any(noted in note.text for note in graded.notebooks[0].notes) or not noted


@pytest.mark.parametrize(("tamper", "noted"), TAMPERING)
def test_what_was_tampered_with_is_as_it_was(course: SmallCourse, tamper: Callable[[Json], None], noted: str) -> None:
    (source,) = course.assignment.notebooks
    notebook = submitted_notebook()
    tamper(notebook)
    cells = restored(notebook["cells"], source).cells
    known = {grade_id(cell): cell for cell in cells if grade_id(cell)}
    assert len([cell for cell in cells if grade_id(cell)]) == len(known)
    assert known.keys() == source.graded_cells().keys()
    for identity, original in source.graded_cells().items():
        assert known[identity]["metadata"] == original["metadata"]
        assert known[identity]["cell_type"] == original["cell_type"]
        assert known[identity]["outputs"] == []
        assert known[identity]["source"] == original["source"] or identity.startswith("answer")
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert not any(cell["metadata"] for cell in cells if not grade_id(cell))


def test_an_honest_notebook_has_nothing_to_be_noted(grade: Grading, honest: Json) -> None:
    honest["cells"].insert(1, {"cell_type": "code", "metadata": {"tags": ["mine"]}, "source": "%kubectl get pods"})
    assert grade(honest).notebooks[0].notes == ()


def test_two_answers_under_one_name_the_known_cell_counts(grade: Grading, honest: Json) -> None:
    wrong = {"cell_type": "code", "metadata": {}, "source": "%%manifest settings.yaml\nkind: Pod"}
    honest["cells"].insert(0, wrong)
    honest["cells"].append(wrong)
    graded = grade(honest)
    assert scores(graded) == [3, 3]
    assert [note.text for note in graded.notebooks[0].notes] == [
        f"another cell writes settings.yaml too; the cell {ANSWER} counts"
    ]


def test_of_two_cells_of_one_name_the_last_counts(grade: Grading) -> None:
    notebook = submitted_notebook(WRONG)
    right = cell_of(submitted_notebook(), ANSWER)
    assert scores(grade({**notebook, "cells": [*notebook["cells"], right]})) == [3, None]
    assert scores(grade({**notebook, "cells": [right, *notebook["cells"]]})) == [0, None]


def test_missing_cells_come_back_where_they_stood(course: SmallCourse) -> None:
    (source,) = course.assignment.notebooks
    notebook = submitted_notebook()
    notebook["cells"].remove(cell_of(notebook, CHECK))
    order = [grade_id(cell) for cell in restored(notebook["cells"], source).cells]
    assert order == ["", *source.graded_cells()]


def test_what_stands_for_an_unreadable_notebook_holds_no_solution(course: SmallCourse) -> None:
    (source,) = course.assignment.notebooks
    cells = blank(source)
    assert [grade_id(cell) for cell in cells] == list(source.graded_cells())
    assert not any("SOLUTION" in cell["source"] or "ConfigMap" in cell["source"] for cell in cells)


def test_the_cells_of_a_submission_are_not_changed(course: SmallCourse, honest: Json) -> None:
    (source,) = course.assignment.notebooks
    before = copy.deepcopy(honest)
    restored(honest["cells"], source)
    assert honest == before
