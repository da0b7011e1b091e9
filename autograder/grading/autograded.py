"""The graded notebooks, where nbgrader looks for them: ``autograded/<student>/<assignment>/<notebook>.ipynb``.

Beside them lie the time and the secret that ``nbgrader submit`` made, by which ``nbgrader release_feedback`` puts the
feedback where only that student finds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from autograder.clusters import scratch
from autograder.grading.assignment import Assignment, Notebook
from autograder.grading.disk import naming, plain_file
from autograder.grading.graded import GradedNotebook, GradedSubmission
from autograder.grading.marking import marked_cells

#: The kind of folder in which notebooks are written before they are put in their place.
KIND: Final = "page"
#: What of the source notebook's metadata a graded notebook keeps.
_KEPT: Final = ("kernelspec", "language_info")
_ON_ONE_LINE: Final = json.JSONEncoder(ensure_ascii=False)
#: What ``nbgrader submit`` puts beside a notebook, and the bytes of each that are taken.
_RECEIPTS: Final = {"timestamp.txt": 100, "submission_secret.txt": 1_000}


class Pages:
    """Writes the graded notebooks of a course, also those that stand for one that could not be read.

    Each is written whole or not at all, whatever stood there before, by way of a folder that does not outlive the run.
    """

    def __init__(self, course: Path, assignments: Sequence[Assignment]) -> None:
        self._root = course / "autograded"
        self._sources = {
            (assignment.name, notebook.name): notebook
            for assignment in assignments
            for notebook in assignment.notebooks
        }
        self._scratch: scratch.Scratch | None = None

    def write(self, graded: GradedSubmission) -> None:
        """Write the notebooks of a submission; raises OSError."""
        folder = self._root / graded.submission.student / graded.submission.assignment
        folder.mkdir(parents=True, exist_ok=True)
        if self._scratch is None:
            scratch.clean(KIND, self._root)
            self._scratch = scratch.Scratch(KIND, self._root)
        for notebook in graded.notebooks:
            source = self._sources[graded.submission.assignment, notebook.notebook]
            _replace(folder / f"{notebook.notebook}.ipynb", text(source, notebook), self._scratch.path)
        for name, receipt in _receipts(graded.submission.folder):
            _replace(folder / name, receipt, self._scratch.path)

    def close(self) -> None:
        """No more is written."""
        if self._scratch is not None:
            self._scratch.remove()


def text(source: Notebook, graded: GradedNotebook) -> str:
    """A graded notebook as nbformat writes it: JSON with an indentation of 1."""
    cells = ",\n  ".join(_indented(_ON_ONE_LINE.encode(cell)) for cell in marked_cells(graded))
    rest = {"metadata": metadata_of(source), "nbformat": 4, "nbformat_minor": 5}
    return f'{{\n "cells": [\n  {cells}\n ],{json.dumps(rest, indent=1, ensure_ascii=False)[1:]}\n'


def _indented(cell: str) -> str:
    """JSON of one line as it stands among the cells."""
    return _remembered(cell) if len(cell) <= _SHORT else _anew(cell)


def _anew(cell: str) -> str:
    return json.dumps(json.loads(cell), indent=1, ensure_ascii=False).replace("\n", "\n  ")


#: Most cells are the same in everybody's notebook; those that may be are short.
_SHORT: Final = 16 * 1024
_remembered = lru_cache(maxsize=1024)(_anew)


def metadata_of(source: Notebook) -> dict[str, Any]:
    """The metadata that a graded notebook has from its source; the student's say nothing here."""
    given = source.document.get("metadata", {})
    return {key: given[key] for key in _KEPT if key in given}


def _receipts(folder: Path) -> Iterator[tuple[str, str]]:
    """The time and the secret of a submission, as far as they are plain texts; the student may have written them."""
    for name, size in _RECEIPTS.items():
        if folder.is_symlink():
            return
        try:
            with plain_file(folder / name) as file:
                content = file.read(size + 1)
            if len(content) <= size:
                yield name, content.decode()
        except (OSError, UnicodeDecodeError):
            continue


def _replace(path: Path, text: str, place: Path) -> None:
    """Write a file that is whole at every moment."""
    draft = place / path.name
    with naming(path):
        draft.write_text(text, encoding="utf-8", newline="\n")
    draft.chmod(0o644)
    draft.replace(path)
