"""Reading what students handed in.  A submission is hostile until it is parsed; nothing of it is ever executed.

Every read is bounded and stays inside the student's folder: links, devices and folders in the place of a notebook are
refused, and so is what is too large or no notebook.  What is wrong is data, never an exception that stops a batch.
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder.grading.assignment import Assignment, Cell, Notebook, source_of

#: Bytes of a submitted notebook that are read.
SIZE_LIMIT: Final = 8 * 1024 * 1024
CELL_LIMIT: Final = 5_000


class Unreadable(ValueError):
    """A submitted notebook cannot be read; the message says why and what the student can do."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The folder that one student handed in for one assignment."""

    student: str
    assignment: str
    folder: Path

    def path_of(self, notebook: Notebook) -> Path:
        """Where a notebook of the assignment must stand."""
        return self.folder / f"{notebook.name}.ipynb"


def find_submissions(course: Path, assignment: Assignment) -> list[Submission]:
    """The submissions of an assignment, by student; what is no plain folder is passed over."""
    root = course / "submitted"
    if not root.is_dir():
        return []
    found = []
    for student in sorted(root.iterdir()):
        folder = student / assignment.name
        if student.name.startswith(".") or not _is_plain_folder(student) or not _is_plain_folder(folder):
            continue
        found.append(Submission(student.name, assignment.name, folder))
    return found


def read_notebook(path: Path) -> dict[str, Any]:
    """A submitted notebook as data whose cells have a source and metadata; raises ``Unreadable``, FileNotFoundError."""
    document = _parsed(path)
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise Unreadable("this is not a notebook: it has no list of cells; save it again from Jupyter")
    if len(document["cells"]) > CELL_LIMIT:
        raise Unreadable(f"the notebook has {len(document['cells'])} cells; at most {CELL_LIMIT} are read")
    cells = [_plain_cell(cell, index) for index, cell in enumerate(document["cells"])]
    return {**document, "cells": cells}


def _parsed(path: Path) -> Any:
    information = path.lstat()
    if not stat.S_ISREG(information.st_mode):
        raise Unreadable(f"{path.name} is not a plain file; hand in the notebook itself")
    if information.st_size > SIZE_LIMIT:
        size = information.st_size / 1024 / 1024
        raise Unreadable(f"the notebook has {size:.0f} MiB; at most {SIZE_LIMIT // 1024 // 1024} MiB are read")
    with path.open("rb") as file:
        content = file.read(SIZE_LIMIT + 1)
    try:
        return json.loads(content)
    except UnicodeDecodeError as error:
        raise Unreadable(f"the notebook is not UTF-8 text: byte {error.start} cannot be read") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(
            f"the notebook is not valid JSON: {error.msg} at {place}; save it again from Jupyter"
        ) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable("the notebook is nested too deeply or holds a number that is too long") from error


def _plain_cell(cell: Any, index: int) -> Cell:
    """A cell reduced to what grading reads: its type, source and metadata."""
    if not isinstance(cell, dict):
        raise Unreadable(f"cell {index + 1} of the notebook is not a cell")
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = source_of(cell)
    if not isinstance(source, str):
        raise Unreadable(f"cell {index + 1} of the notebook has no readable text")
    kind = cell.get("cell_type")
    metadata = cell.get("metadata")
    return {
        "cell_type": kind if kind in ("code", "markdown", "raw") else "raw",
        "metadata": metadata if isinstance(metadata, dict) else {},
        "source": source,
    }


def _is_plain_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
