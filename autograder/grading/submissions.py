"""Reading what students handed in.  A submission is hostile until it is parsed; nothing of it is ever executed.

Every read is bounded and stays inside the student's folder: links, devices and folders in the place of a notebook are
refused, and so is what is too large or no notebook.  What is wrong is data, never an exception that stops a batch.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autograder.exercises import sheets
from autograder.grading.assignment import Assignment, Cell, Notebook, source_of
from autograder.grading.disk import NotPlain, plain_file

#: Bytes of a submitted notebook that are read.
SIZE_LIMIT: Final = 8 * 1024 * 1024
CELL_LIMIT: Final = 5_000
#: Numbers in nbgrader's marks that are looked at, and maps in maps that notes of ours have.
NUMBER_LIMIT: Final = 10**9
LEVELS: Final = 5
#: Kinds of pictures in texts that are kept.
PICTURES: Final = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]*")

#: Characters of a student's name that a gradebook keeps.
NAME_LIMIT: Final = 128


class Unreadable(ValueError):
    """A submitted notebook cannot be read; the message says why and what to do, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What one student handed in for one assignment: a folder, if it is as it should be."""

    student: str
    assignment: str
    folder: Path

    @property
    def exists(self) -> bool:
        """Whether anything was handed in."""
        return _mode(self.folder) is not None


@dataclass(frozen=True, slots=True)
class Handed:
    """Everything that was handed in: the students, and in words what lies there and is no student's folder."""

    course: Path
    students: tuple[str, ...]
    strays: tuple[str, ...]

    def submissions(self, assignment: Assignment) -> list[Submission]:
        """Every student's submission of an assignment, also of those who handed in nothing."""
        root = self.course / "submitted"
        return [Submission(student, assignment.name, root / student / assignment.name) for student in self.students]


def look_through(course: Path) -> Handed:
    """The folders in ``submitted``; what cannot be a student's folder is named and passed over."""
    root = course / "submitted"
    students, strays = [], []
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if path.name.startswith("."):
            continue
        if not path.name.isprintable() or len(path.name) > NAME_LIMIT:
            strays.append(f"submitted/{path.name!a} is no name for a student; passed over")
        elif not stat.S_ISDIR(_mode(path) or 0):
            strays.append(f"submitted/{path.name} is not a folder; passed over")
        else:
            students.append(path.name)
    return Handed(course, tuple(students), tuple(strays))


def read_submitted(submission: Submission, notebook: Notebook) -> dict[str, Any]:
    """A submitted notebook as data; raises ``Unreadable``, and FileNotFoundError if it was not handed in."""
    mode = _mode(submission.folder)
    if mode is not None and not stat.S_ISDIR(mode):
        raise Unreadable(f"{submission.assignment} is not a plain folder; hand in the folder of the assignment itself")
    return read_notebook(submission.folder / f"{notebook.name}.ipynb")


def sheet_of(document: Any) -> Any:
    """What a submitted notebook says of its individual values, as it stands there; None if nothing."""
    metadata = document.get("metadata")
    sheet = metadata.get(sheets.KEY) if isinstance(metadata, dict) else None
    return sheet if is_shallow(sheet) else "nested too deeply for a sheet"


def is_shallow(value: Any, levels: int = LEVELS) -> bool:
    """Whether there are at most so many maps and lists in one another."""
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels >= 0 and all(is_shallow(entry, levels - 1) for entry in entries)


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook as data, each of its cells with nothing but a type, metadata and a text."""
    document = _parsed(path)
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("this is not a notebook: it has no list of cells; save it again from Jupyter")
    if len(cells) > CELL_LIMIT:
        raise Unreadable(f"the notebook has {len(cells)} cells; at most {CELL_LIMIT} are read")
    return {**document, "cells": [_plain_cell(cell, number) for number, cell in enumerate(cells, 1)]}


def _parsed(path: Path) -> Any:
    try:
        with plain_file(path) as file:
            content = file.read(SIZE_LIMIT + 1)
            size = os.fstat(file.fileno()).st_size
    except NotPlain as error:
        raise Unreadable("the notebook is not a plain file; hand in the notebook itself") from error
    if len(content) > SIZE_LIMIT:
        shown = max(size, len(content)) / 1024 / 1024
        raise Unreadable(f"the notebook has {shown:.0f} MiB; at most {SIZE_LIMIT // 1024 // 1024} MiB are read")
    if not content.strip():
        raise Unreadable("the notebook is an empty file; save it again from Jupyter")
    try:
        return json.loads(content)
    except UnicodeDecodeError as error:
        raise Unreadable(f"the notebook is not UTF-8 text: byte {error.start} cannot be read") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        said = f"the notebook is not valid JSON: {error.msg} ({place}); save it again from Jupyter"
        raise Unreadable(said) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable("the notebook is nested too deeply or holds a number that is too long") from error


def _plain_cell(cell: Any, number: int) -> Cell:
    """A cell reduced to what grading reads, its text such that it can be stored as UTF-8."""
    source = cell.get("source", "") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = source_of(cell)
    if not isinstance(source, str):
        raise Unreadable(f"cell {number} of the notebook has no readable text")
    kind, metadata = cell.get("cell_type"), cell.get("metadata")
    plain = {
        "cell_type": kind if kind in ("code", "markdown", "raw") else "raw",
        "metadata": _marked(metadata) if isinstance(metadata, dict) else {},
        "source": source.encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    }
    pictures = _pictures(cell.get("attachments")) if kind == "markdown" else {}
    return {**plain, "attachments": pictures} if pictures else plain


def _marked(metadata: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a cell, marks and tags as plain values; what is none differs from every mark and tag."""
    known, tags = metadata.get("nbgrader"), metadata.get("tags")
    found = {key: value for key, value in metadata.items() if is_shallow(value)}
    if isinstance(known, dict):
        found["nbgrader"] = {mark: value if _is_plain(value) else "no mark" for mark, value in known.items()}
    if tags is not None:
        is_list = isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
        found["tags"] = tags if is_list else ["no tag"]
    return found


def _is_plain(value: Any) -> bool:
    """Whether a value can be compared, written and counted with, whoever wrote it."""
    if isinstance(value, int | float):
        return not abs(value) > NUMBER_LIMIT
    return value is None or isinstance(value, str)


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """The pictures that were pasted into a text, by name and media type; a person grades them too."""
    found: dict[str, dict[str, str]] = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        for media_type, data in bundle.items() if isinstance(bundle, dict) else ():
            if media_type in PICTURES and isinstance(data, str) and _BASE64.fullmatch(data) and name.isprintable():
                found[name] = {media_type: data}
    return found


def _mode(path: Path) -> int | None:
    """The kind of file that stands there, links not followed; None if there is nothing."""
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
