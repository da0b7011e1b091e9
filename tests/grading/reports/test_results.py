"""The document of results: one form, described by a schema, that holds everything and is read back as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from small_course import EXERCISES, SmallCourse, answer_to, cell_id, cell_of, submitted_notebook

from autograder.checks.verdict import Outcome, Role, Status
from autograder.cli import main
from autograder.grading.reports import results
from autograder.grading.reports.reading import from_json, read
from autograder.grading.reports.results import BadResults, texts

FIRST, SECOND = EXERCISES

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(scope="session")
def schema() -> Any:
    return json.loads(results.SCHEMA.read_text())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``grade --json`` writes of a class with a student of every sort."""
    from small_course import build

    course = build(tmp_path_factory.mktemp("class") / "course")
    course.hand_in("ada")
    course.hand_in("ken", submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: "a: ["}))
    course.hand_in("dennis", b"{")
    (course.root / "submitted" / "nobody").mkdir()
    file = course.root / "results.json"
    assert main(["grade", "--course", str(course.root), "--workers", "1", "--json", str(file)]) == 1
    return file


def test_what_is_written_follows_the_schema(written: Path, schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(written.read_text()), schema, cls=jsonschema.Draft202012Validator)


def test_the_schema_knows_every_status_role_and_outcome(schema: Any) -> None:
    definitions = schema["$defs"]
    assert definitions["status"]["enum"] == [status.value for status in Status]
    assert definitions["role"]["enum"] == [role.value for role in Role]
    assert definitions["criterion"]["properties"]["outcome"]["enum"] == [outcome.value for outcome in Outcome]


def test_it_is_read_back_as_it_was(written: Path) -> None:
    document = json.loads(written.read_text())
    assert json.loads("".join(texts(from_json(document)))) == document


def test_nobody_gets_a_bare_nought(written: Path) -> None:
    found = {one.student: one for one in read(written).submissions}
    assert {name: (one.status, one.earned, one.grade) for name, one in found.items()} == {
        "ada": ("graded", 6, 6),
        "dennis": ("unreadable", None, None),
        "ken": ("unreadable", 2, None),
        "nobody": ("not submitted", None, None),
    }


def test_a_lost_criterion_says_everything(written: Path) -> None:
    ken = next(one for one in read(written).submissions if one.student == "ken")
    lost = next(one for one in ken.exercises[0].criteria if one.is_lost)
    assert (lost.name, lost.wanted, lost.found, str(lost.where), lost.why) == (
        "colour", "blue", "red", "settings.yaml:6:11", "Colours matter.",
    )  # fmt: skip
    answer = ken.exercises[0].answer
    assert answer and answer.text.splitlines()[5] == "  colour: red"


def both(course: SmallCourse, folder: Path) -> tuple[str, str]:
    """The document as ``grade --json`` writes it, and as the ledger remembers it."""
    file = folder / "results.json"
    assert main(["grade", "--course", str(course.root), "--workers", "1", "--json", str(file)]) in (0, 1)
    assert main(["report", "json", "--course", str(course.root), "--out", str(folder / "out")]) == 0
    return file.read_text(), (folder / "out" / "results.json").read_text()


def test_what_the_ledger_remembers_makes_the_same_document(course: SmallCourse, tmp_path: Path) -> None:
    altered = submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: ""})
    cell_of(altered, cell_id("check", FIRST))["source"] = "3.0"
    course.hand_in("ada")
    course.hand_in("ken", altered)
    course.hand_in("dennis", b"{")
    course.hand_in("grace")
    (course.root / "submitted" / "nobody").mkdir()
    source = course.root / "source" / "01-maps" / "01-maps.ipynb"
    more = json.loads(source.read_text().replace("-maps-", "-more-"))
    source.with_name("more.ipynb").write_text(json.dumps(more))  # which nobody has handed in
    later = course.root / "source" / "02-later" / "02-later.ipynb"
    later.parent.mkdir()
    later.write_text(json.dumps({**submitted_notebook(), "cells": []}))  # nobody has handed it in
    graded, remembered = both(course, tmp_path)
    assert remembered == graded
    found = {one["student"]: one for one in json.loads(graded)["submissions"]}
    assert found["ken"]["status"] == "tampered"
    assert found["ken"]["notes"] == ["the cell check-maps-settings was changed, and was put right"]
    assert found["ada"]["seconds"] > 0
    shutil.rmtree(course.root / "submitted" / "grace" / "01-maps")
    course.hand_in("ken")
    graded, remembered = both(course, tmp_path)
    assert remembered == graded
    found = {one["student"]: one for one in json.loads(graded)["submissions"]}
    assert (found["grace"]["handed_in"], found["grace"]["status"], found["ken"]["notes"]) == (
        False,
        "not submitted",
        [],
    )


def test_the_ledger_knows_of_whom_it_was_told_and_of_nobody_else(course: SmallCourse, tmp_path: Path) -> None:
    course.hand_in("ada")
    course.hand_in("ken")
    both(course, tmp_path)
    shutil.rmtree(course.root / "submitted" / "ken")
    course.hand_in("zoe")
    assert main(["report", "json", "--course", str(course.root), "--out", str(tmp_path / "out")]) == 0
    found = {one.student: one for one in read(tmp_path / "out" / "results.json").submissions}
    assert {name: one.status for name, one in found.items()} == {
        "ada": "graded",
        "ken": "graded",
        "zoe": "not submitted",
    }
    assert (found["ken"].earned, found["ken"].handed_in) == (6, True)
    assert (found["zoe"].handed_in, found["zoe"].seconds) == (True, None)
    assert "nobody has graded this answer yet" in found["zoe"].exercises[0].criteria[0].message


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda document: document.update(schema_version=2), "schema_version is 2, and 1 is read here"),
        (lambda document: document.pop("students"), "the document lacks students"),
        (lambda document: document.update(students={}), "students is no list"),
        (lambda document: document["submissions"][0].update(student=7), "submissions[0].student is 7, and should be"),
        (lambda document: document["submissions"][0]["exercises"].append([]), "exercises[2] is no object"),
        (lambda document: document["exercises"][0].update(values={"a": 1}), "exercises[0].values is no object of"),
    ],
)
def test_what_is_no_document_of_results(written: Path, spoil: Any, said: str) -> None:
    document = json.loads(written.read_text())
    spoil(document)
    with pytest.raises(BadResults) as caught:
        from_json(document)
    assert said in str(caught.value)


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text("{")
    with pytest.raises(BadResults, match=r"is not JSON: .*write it with autograder grade --json"):
        read(file)
