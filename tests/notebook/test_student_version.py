"""The notebooks that students get run from top to bottom before anything is answered: each check says "not yet".

Two lessons are run; ``AUTOGRADER_STUDENT_LESSONS`` names others, or ``all``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.grading.assignment import load_assignments
from autograder.grading.configuration import configuration
from autograder.grading.releasing import released

ROOT = Path(__file__).parents[2]
COURSE = ROOT / "course"
ALL = sorted(path.stem for path in (COURSE / "lessons").glob("*.md"))
CHOSEN = os.environ.get("AUTOGRADER_STUDENT_LESSONS", "01-etcd,13-recap")
LESSONS = ALL if CHOSEN == "all" else CHOSEN.split(",")
CELL_SECONDS = 120


@pytest.mark.parametrize("lesson", LESSONS)
@pytest.mark.filterwarnings("ignore")  # of the kernel's client, about event loops and sockets that it leaves open
def test_each_check_says_not_yet(lesson: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_UNATTENDED", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.from_dict(student_version(lesson))
    folder = tmp_path / "source" / lesson
    folder.mkdir(parents=True)
    NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3").execute(cwd=str(folder))
    checks = [cell for cell in notebook.cells if cell.source.startswith("check(")]
    assert len(checks) >= 3
    for check in checks:
        texts = [output["data"].get("text/plain", "") for output in check.outputs if "data" in output]
        assert any("not yet" in text for text in texts), check.source
        assert texts[-1] == "0.0", check.source


def student_version(lesson: str) -> Any:
    """The notebook of a lesson as ``nbgrader generate_assignment`` makes it."""
    (assignment,) = load_assignments(COURSE, lesson)
    (notebook,) = assignment.notebooks
    node = released(configuration(COURSE), assignment, notebook)
    assert "SOLUTION" not in nbformat.writes(node)
    assert not [output for cell in node.cells for output in cell.get("outputs", ())]
    return node
