"""The graded notebooks, where nbgrader looks for them: ``autograded/<student>/<assignment>/<notebook>.ipynb``."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from autograder.grading.assignment import Notebook
from autograder.grading.batch import Batch
from autograder.grading.engine import GradedNotebook
from autograder.grading.marking import marked_cells

#: What of the source notebook's metadata a graded notebook keeps.
_KEPT: Final = ("kernelspec", "language_info")


def write(course: Path, batch: Batch) -> None:
    """Write every graded notebook, also those that stand for one that could not be read."""
    sources = {
        (assignment.name, notebook.name): notebook
        for assignment in batch.assignments
        for notebook in assignment.notebooks
    }
    for graded in batch.submissions:
        if not graded.handed_in:
            continue
        folder = course / "autograded" / graded.submission.student / graded.submission.assignment
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in graded.notebooks:
            source = sources[graded.submission.assignment, notebook.notebook]
            text = json.dumps(document(source, notebook), indent=1, ensure_ascii=False)
            _replace(folder / f"{notebook.notebook}.ipynb", f"{text}\n")


def document(source: Notebook, graded: GradedNotebook) -> dict[str, Any]:
    """A graded notebook as JSON."""
    return {
        "cells": marked_cells(graded),
        "metadata": metadata_of(source),
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def metadata_of(source: Notebook) -> dict[str, Any]:
    """The metadata that a graded notebook has from its source; the student's say nothing here."""
    given = source.document.get("metadata", {})
    return {key: given[key] for key in _KEPT if key in given}


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, whatever stood there before."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
