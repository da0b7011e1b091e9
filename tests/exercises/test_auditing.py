"""The audit finds what is wrong with an exercise, and passes what is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.clusters import Cluster
from autograder.exercises import load
from autograder.exercises.audit import Auditor
from autograder.exercises.audit_report import Report


@pytest.fixture(scope="session")
def auditor(warm: Cluster) -> Auditor:
    return Auditor(warm, warm.fork())


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def audit(auditor: Auditor) -> Report:
    return auditor.audit(load("topic/settings"))


def test_a_good_exercise_passes_many_answers(auditor: Auditor, folder: Path) -> None:
    report = audit(auditor)
    assert report.findings == []
    assert report.rightful.judged > 20
    assert report.wrongful.judged > 10


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("starter.yaml", "# apiVersion: ...",
         "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}",
         "the starter earns 1"),
        ("solution.yaml", "blue", "red", "solution earns 2 of 3"),
        ("accepted/json.yaml", "blue", "green", "accepted/json.yaml earns 2 of 3"),
        ("mutants/red.yaml", "loses: colour", "loses: size", "mutants/red.yaml loses colour (graded), and names size"),
        ("mutants/red.yaml", "colour: red", "colour: blue", "mutants/red.yaml loses nothing"),
        ("mutants/red.yaml", "# loses: colour", "# wrong", "the first line must be `# loses: `"),
        ("mutants/red.yaml", "red", "blue", "no mutant loses 'colour'"),
        ("task.md", "is `blue`", "is chosen",
         "the checks ask for 'blue', which stands neither in the task nor in the starter"),
        ("task.md", "`{{ name }}`", "of your choice", "the checks ask for 'settings'"),
        ("hints.md", "It is a map.", "apiVersion: v1 kind: ConfigMap metadata: name: settings",
         "hint 1 shares a long run"),
        ("hints.md", "\n---\n", "\n", "there are 1 hints"),
        ("checks.py", 'equals("blue")', 'equals({}["blue"])', "could not be judged: KeyError: 'blue' (checks.py line"),
        ("checks.py", "equals(str(review.values[\"size\"]))", "is_present()", "is wrong and earns"),
        ("checks.py", 'review.object("ConfigMap", review.values["name"]).field("data.colour").equals("blue")',
         'review.require(review.sources.documents[0].position("data.colour").line == 6, "no", wanted="", found="")',
         "variant (keys reversed) earns"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(auditor: Auditor, folder: Path, file: str, old: str, new: str, finding: str) -> None:
    change(folder, file, old, new)
    findings = audit(auditor).findings
    assert any(finding in found for found in findings), findings


def test_stray_files_are_findings(auditor: Auditor, folder: Path) -> None:
    (folder / "old.yaml").touch()
    assert audit(auditor).findings == ["old.yaml belongs to no part of an exercise"]


def test_a_message_must_not_give_away_what_is_hidden(auditor: Auditor, folder: Path) -> None:
    change(folder, "task.md", "minutes: 5", "minutes: 5\nwanted: hidden")
    assert audit(auditor).findings == []
    change(folder, "checks.py", '.field("data.colour").equals("blue")',
           '.field("data.colour").satisfies(lambda value: value == "blue", "not what the task asks for")')  # fmt: skip
    assert any("gives away" in found for found in audit(auditor).findings)
