"""The notebooks of the course: made from their texts, run, and ready to be handed out."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from traitlets.config import Config

from autograder.exercises import Exercise, exercise_ids, load
from autograder.exercises.exercise import Difficulty
from autograder.notebook.cells import answer_id, check_id
from autograder.notebook.releasing import EMPTY, PutStarters, starter

ROOT = Path(__file__).parents[2]


def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_notebooks", ROOT / "tools" / "build_notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


builder = _builder()
LESSONS = builder.lessons()


def notebook(lesson: str) -> Any:
    """A notebook as it is kept."""
    return nbformat.read(ROOT / "course" / "source" / lesson / f"{lesson}.ipynb", as_version=4)


def text_of(lesson: str) -> str:
    """What a notebook is made from."""
    return (ROOT / "course" / "lessons" / f"{lesson}.md").read_text(encoding="utf-8")


def grade_id(cell: Any) -> str:
    """Nbgrader's name of a cell."""
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


#: Each exercise of each lesson, in their order.
EXERCISES = [
    (lesson, content) for lesson in LESSONS for kind, content in builder.blocks(text_of(lesson)) if kind == "exercise"
]


#: Exercises from the easiest to the hardest.
DIFFICULTIES = list(Difficulty)


def exercises_of(lesson: str) -> list[Exercise]:
    """The exercises of a lesson in their order."""
    return [load(exercise) for one, exercise in EXERCISES if one == lesson]


def test_there_are_fourteen_lessons_and_sixty_exercises() -> None:
    assert [int(lesson[:2]) for lesson in LESSONS] == list(range(14))
    assert len({exercise for _, exercise in EXERCISES}) == len(EXERCISES) >= 60


def test_every_exercise_stands_in_a_lesson() -> None:
    assert {exercise for _, exercise in EXERCISES} == set(exercise_ids())


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_three_to_six_exercises_which_get_harder(lesson: str) -> None:
    exercises = exercises_of(lesson)
    assert 3 <= len(exercises) <= 6
    levels = [DIFFICULTIES.index(exercise.difficulty) for exercise in exercises if exercise.difficulty]
    assert levels == sorted(levels)
    first, last = exercises[0], exercises[-1]
    assert levels[-1] > levels[0]
    assert last.minutes >= first.minutes
    assert last.points >= first.points


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_is_what_its_text_says(lesson: str) -> None:
    """``make notebooks`` brings them together again."""
    fields = ("id", "cell_type", "source", "metadata")
    made = [[cell[field] for field in fields] for cell in builder.cells_of(text_of(lesson), lesson)]
    kept = [[cell[field] for field in fields] for cell in notebook(lesson)["cells"]]
    assert kept == made


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_is_valid_and_was_run_from_top_to_bottom(lesson: str) -> None:
    document = notebook(lesson)
    nbformat.validate(document)
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_begins_with_a_cluster_of_its_own(lesson: str) -> None:
    first = next(cell for cell in notebook(lesson)["cells"] if cell["cell_type"] == "code")
    assert first["source"] == "%load_ext autograder.notebook\n%cluster new"
    assert "A new cluster is up" in first["outputs"][0]["text"]


@pytest.mark.parametrize("lesson", LESSONS)
def test_cells_are_short_and_headings_in_order(lesson: str) -> None:
    level = 0
    for cell in notebook(lesson)["cells"]:
        text = cell["source"]
        if cell["cell_type"] == "markdown":
            assert len(text) <= 1_600, text[:60]
            if text.startswith("#"):
                found = len(text) - len(text.lstrip("#"))
                assert found <= level + 1, text.splitlines()[0]
                level = found
        else:
            is_answer = bool(cell["metadata"].get("nbgrader", {}).get("solution"))
            assert len(text.splitlines()) <= (90 if is_answer else 30), text[:60]


@pytest.mark.parametrize("lesson", LESSONS)
def test_nothing_of_the_machine_stands_in_an_output(lesson: str) -> None:
    outputs = json.dumps([cell.get("outputs") for cell in notebook(lesson)["cells"]])
    for trace in (str(ROOT), "/tmp/", "Traceback"):
        assert trace not in outputs
    # A port that was free when the notebook was run; those of a control plane have four digits.
    assert not re.search(r"127\.0\.0\.1:\d{5}", outputs)


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES)
def test_an_exercise_stands_in_its_notebook_with_its_points(lesson: str, exercise: str) -> None:
    cells = {grade_id(cell): cell for cell in notebook(lesson)["cells"]}
    answer, check = cells[answer_id(exercise)], cells[check_id(exercise)]
    marks = check["metadata"]["nbgrader"]
    points = load(exercise).points
    assert (marks["grade"], marks["solution"], marks["locked"], marks["points"]) == (True, False, True, points)
    assert check["source"] == f'check("{exercise}")'
    assert [output["data"]["text/plain"] for output in check["outputs"] if "execution_count" in output] == [
        f"{points:.1f}"
    ]
    marks = answer["metadata"]["nbgrader"]
    assert (marks["grade"], marks["solution"], marks["locked"]) == (False, True, False)


@pytest.mark.parametrize("lesson", LESSONS)
def test_answers_of_a_lesson_do_not_share_a_file(lesson: str) -> None:
    names = [exercise.rpartition("/")[2] for one, exercise in EXERCISES if one == lesson]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lesson", LESSONS)
def test_students_get_the_starters_and_no_solution(lesson: str) -> None:
    node: Any = nbformat.from_dict(notebook(lesson))
    released, _ = PutStarters(config=Config())(node, {})
    texts = {grade_id(cell): cell["source"] for cell in released["cells"]}
    assert "SOLUTION" not in "".join(texts.values())
    assert "NotImplementedError" not in "".join(texts.values())
    for exercise in (load(known) for _, known in EXERCISES if answer_id(known) in texts):
        assert texts[answer_id(exercise.id)] == f"{exercise.header}\n{exercise.starter.strip()}"


def _released(text: str, name: str = "answer-x") -> str:
    cell = builder.code(text)
    cell["metadata"]["nbgrader"] = {"grade_id": name, "solution": True, "grade": False, "locked": False}
    node: Any = nbformat.from_dict(builder.document([{**cell, "id": "a"}]))
    released, _ = PutStarters(config=Config())(node, {})
    return str(released["cells"][0]["source"])


def test_a_manifest_of_no_exercise_is_left_empty() -> None:
    assert _released("%%manifest a.yaml\n### BEGIN SOLUTION\na: 1\n### END SOLUTION") == f"%%manifest a.yaml\n{EMPTY}"
    assert starter("answer-of-nothing") == EMPTY


def test_without_marks_all_but_the_first_line_is_the_solution() -> None:
    assert _released("%%manifest a.yaml\na: 1") == f"%%manifest a.yaml\n{EMPTY}"


def test_python_cells_are_left_to_nbgrader() -> None:
    assert "NotImplementedError" in _released("### BEGIN SOLUTION\nx = 1\n### END SOLUTION")


def test_text_is_cut_into_cells_at_headings_breaks_code_and_exercises() -> None:
    code = "```{code-cell}\nx\n\ny\n```"
    text = f"# A\n\none\n+++\ntwo\n{code}\n```yaml\n# not a heading\n```\n## B\n{{exercise}} pods/first-pod\n"
    assert list(builder.blocks(text)) == [
        ("markdown", "# A\n\none"),
        ("markdown", "two"),
        ("code", "x\n\ny"),
        ("markdown", "```yaml\n# not a heading\n```"),
        ("markdown", "## B"),
        ("exercise", "pods/first-pod"),
    ]


def test_a_first_line_of_a_code_cell_gives_it_tags() -> None:
    first, second = builder.cells_of(
        "```{code-cell}\n:tags: [nbval-check-output, raises]\nx\n```\n```{code-cell}\ny\n```", "l"
    )
    assert (first["source"], first["metadata"]) == ("x", {"tags": ["nbval-check-output", "raises"]})
    assert (second["source"], second["metadata"]) == ("y", {})


@pytest.mark.parametrize("lesson", LESSONS)
def test_something_of_every_lesson_must_hold_on_every_cluster(lesson: str) -> None:
    cells = [cell for cell in notebook(lesson)["cells"] if cell["cell_type"] == "code"]
    held = [cell for cell in cells if "nbval-check-output" in cell["metadata"].get("tags", ())]
    checks = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
    assert all(cell in held for cell in checks)
    assert len(held) >= len(checks) + 3
    assert not [cell for cell in held if "%cluster stop" in cell["source"] or "%cluster power" in cell["source"]]


def test_neighbouring_pieces_of_a_stream_are_one() -> None:
    pieces = [
        {"output_type": "stream", "name": name, "text": text}
        for name, text in (("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d"))
    ]
    assert [(piece["name"], piece["text"]) for piece in builder.merged(pieces)] == [
        ("stdout", "ab"), ("stderr", "c"), ("stdout", "d"),
    ]  # fmt: skip
