"""A page of bad input, as it is handed in: each with a status and a message, no point, nothing else harmed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from small_course import EXERCISES, Grading, Json, SmallCourse, answer_to, scores, submitted_notebook

from autograder.checks import Status
from autograder.grading.submissions import SIZE_LIMIT, look_through

FIRST, SECOND = EXERCISES
OBJECT = answer_to(FIRST)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{','.join(['*' + chr(97 + level)] * 10)}]\n" for level in range(9)
)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        pytest.param(BOMB, Status.UNREADABLE, "", id="YAML bomb"),
        pytest.param("!!python/object/apply:os.system ['true']\n", Status.UNREADABLE, "", id="python tag"),
        pytest.param(OBJECT + "kind: Secret\n", Status.UNREADABLE, "twice", id="duplicate key"),
        pytest.param(OBJECT + "  x: '" + "y" * 2_000_000 + "'\n", Status.UNREADABLE, "1,048,576", id="2 MB"),
        pytest.param(OBJECT + "  x: 'a\0b'\n", Status.UNREADABLE, "NUL", id="NUL"),
        pytest.param("metadata:\n\tname: settings\n", Status.UNREADABLE, "tab", id="tab"),
        pytest.param("- kind: ConfigMap\n", Status.UNREADABLE, "list", id="list for a map"),
        pytest.param("{" * 5000, Status.UNREADABLE, "", id="deep"),
        pytest.param("---\n".join([OBJECT] * 60), Status.COULD_NOT_BE_JUDGED, "60 objects", id="many objects"),
        pytest.param("apiVersion: v1\nkind: Nothing\nmetadata: {name: x}\n", Status.GRADED, "Nothing", id="kind"),
    ],
)  # fmt: skip
def test_answers_that_nobody_can_read(grade: Grading, answer: str, status: Status, said: str) -> None:
    begin = time.process_time()  # which does not pass while the machine does something else
    graded = grade(submitted_notebook({FIRST: answer, SECOND: answer_to(SECOND)}))
    assert time.process_time() - begin < 10
    assert graded.graded[0].verdict.status is status
    assert not graded.graded[0].score
    assert graded.graded[0].verdict.criteria[0].message.strip()
    assert said in graded.graded[0].verdict.criteria[0].message
    assert graded.graded[1].score == 3


def test_half_of_a_character_costs_nothing(grade: Grading) -> None:
    assert scores(grade(submitted_notebook({FIRST: OBJECT + "  x: '\ud800'\n", SECOND: answer_to(SECOND)}))) == [3, 3]


NOTEBOOK = json.dumps(submitted_notebook()).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "empty file", id="empty"),
        pytest.param(NOTEBOOK[:-30], "not valid JSON", id="cut off"),
        pytest.param(b"<<<<<<< HEAD\n" + NOTEBOOK, "not valid JSON", id="merge conflict"),
        pytest.param(NOTEBOOK.replace(b"# Maps", b"\xff\xfe"), "not UTF-8", id="not UTF-8"),
        pytest.param(b"\x00" * 100, "not", id="NUL bytes"),
        pytest.param(b"PK\x03\x04", "not", id="zip file"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(b'{"cells": [' + b"9" * 10_000 + b"]}", "number", id="long number"),
        pytest.param(b'{"cells": "none"}', "no list of cells", id="cells are a text"),
        pytest.param(b"[]", "no list of cells", id="list"),
        pytest.param(b"null", "no list of cells", id="null"),
        pytest.param(b'{"worksheets": [{"cells": []}]}', "no list of cells", id="old format"),
        pytest.param(b'{"cells": [3]}', "cell 1", id="cell is a number"),
        pytest.param(b'{"cells": [{"cell_type": "code", "source": {"a": 1}}]}', "cell 1", id="source is a map"),
        pytest.param(b'{"cells": [{"cell_type": "code", "source": [1]}]}', "cell 1", id="source of numbers"),
        pytest.param(json.dumps({"cells": [{}] * 5001}).encode(), "5001 cells", id="many cells"),
        pytest.param(b" " * (SIZE_LIMIT + 1), "MiB", id="large"),
    ],
)
def test_notebooks_that_cannot_be_read(grade: Grading, content: bytes, said: str) -> None:
    graded = grade(content)
    assert {one.verdict.status for one in graded.graded} == {Status.UNREADABLE}
    assert scores(graded) == [None, None]
    assert said in graded.graded[0].verdict.criteria[0].message


@pytest.mark.parametrize(
    "strange",
    [
        {"cell_type": 7, "metadata": {}, "source": "x"},
        {"cell_type": "code", "metadata": [], "source": "x"},
        {"cell_type": "code", "metadata": {"nbgrader": "x"}, "source": "x"},
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": ["x"]}}, "source": "x"},
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": "../../x"}}, "source": "x"},
        {"source": ["a", "b"]},
        {},
    ],
)
def test_strange_cells_cost_nothing(grade: Grading, honest: Json, strange: Json) -> None:
    honest["cells"].append(strange)
    assert scores(grade(honest)) == [3, 3]


def folder(path: Path) -> None:
    path.mkdir()


def link_to_a_secret(path: Path) -> None:
    secret = path.parents[3] / "secret.ipynb"
    secret.write_bytes(NOTEBOOK)
    path.symlink_to(secret)


def dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [folder, link_to_a_secret, dangling_link, pipe])
def test_what_is_no_file(grade: Grading, course: SmallCourse, make: Callable[[Path], None]) -> None:
    path = course.hand_in("ada")
    path.unlink()
    make(path)
    graded = grade.of("ada")
    assert scores(graded) == [None, None]
    assert graded.graded[0].verdict.status is Status.UNREADABLE
    assert "not a plain file" in graded.graded[0].verdict.criteria[0].message


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder(grade: Grading, course: SmallCourse, kind: str) -> None:
    path = course.hand_in("ada")
    there = path.parent.rename(course.root / "elsewhere")
    if kind == "link":
        path.parent.symlink_to(there)
    else:
        path.parent.write_text("x")
    graded = grade.of("ada")
    assert scores(graded) == [None, None]
    assert "not a plain folder" in graded.graded[0].verdict.criteria[0].message


def test_what_is_no_student(course: SmallCourse) -> None:
    course.hand_in("ada")
    submitted = course.root / "submitted"
    (submitted / "notes.txt").write_text("x")
    (submitted / ".ipynb_checkpoints").mkdir()
    (submitted / "linked").symlink_to(submitted / "ada")
    (submitted / "\u202eada").mkdir()
    (submitted / ("x" * 200)).mkdir()
    handed = look_through(course.root)
    assert handed.students == ("ada",)
    assert len(handed.strays) == 4
    assert "submitted/linked is not a folder; passed over" in handed.strays


@pytest.mark.skipif(os.name == "posix" and os.getuid() == 0, reason="root may read everything")
def test_what_may_not_be_opened(grade: Grading, course: SmallCourse) -> None:
    course.hand_in("ada").chmod(0)
    assert "cannot be opened" in grade.of("ada").graded[0].verdict.criteria[0].message
