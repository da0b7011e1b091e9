"""What there is to grade: the instructor's source notebooks, and where in them each exercise's answer stands.

Answers are found by the ``grade_id`` that nbgrader gives to cells, and only the source notebook says which those are.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from autograder.checks.verdict import Status
from autograder.exercises import exercises_root

Cell = dict[str, Any]

_CHECK: Final = re.compile(r"""^check\((["'])([\w./-]+)\1\)\s*$""", re.MULTILINE)
_OPENING: Final = re.compile(r"^%%(manifest|commands|prediction|program)\s+(\S+)(?:\s+--\w+)*\s*$")


class BadCourse(ValueError):
    """The course's own files are not as they must be; the message says what to change."""


class NoAnswer(ValueError):
    """There is no answer in an answer cell: the status says in what way, and the message what to do."""

    def __init__(self, status: Status, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Opening:
    """The first line of an answer cell: the magic, which is the form of the answer, and the file that it is."""

    form: str
    file: str

    def __str__(self) -> str:
        return f"%%{self.form} {self.file}"


@dataclass(frozen=True, slots=True)
class Task:
    """One exercise in a notebook: the cell that holds the answer, how that begins, and the cell that is graded."""

    exercise: str
    answer_cell: str
    check_cell: str
    opening: Opening
    points: float

    def answer(self, source: str) -> str:
        """The answer in the text of its cell, which is what stands below the first line; raises ``NoAnswer``."""
        if not source.strip():
            raise NoAnswer(Status.NOT_SUBMITTED, "there is no answer yet")
        opening, content = read_answer(source)
        if opening != self.opening:
            first = source.strip().partition("\n")[0][:80]
            message = (
                f"the answer cell must begin with the line '{self.opening}', and it begins with {first!a}; "
                "put that line back"
            )
            raise NoAnswer(Status.UNREADABLE, message)
        return content


@dataclass(frozen=True)
class Notebook:
    """A source notebook: its cells and the tasks in it.  ``name`` is that of the file, without its ending."""

    name: str
    document: dict[str, Any]
    tasks: tuple[Task, ...]

    def graded_cells(self) -> dict[str, Cell]:
        """The cells that nbgrader knows, by ``grade_id``, in order."""
        return {identity: cell for cell in self.document["cells"] if (identity := grade_id(cell))}


@dataclass(frozen=True, eq=False)
class Assignment:
    """A folder of source notebooks."""

    name: str
    notebooks: tuple[Notebook, ...]

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of all notebooks, in order."""
        return tuple(task for notebook in self.notebooks for task in notebook.tasks)

    def only(self, check_cell: str) -> Assignment:
        """The notebook with one of the tasks, as if there were no other."""
        return Assignment(
            self.name,
            tuple(
                replace(notebook, tasks=(task,))
                for notebook in self.notebooks
                for task in notebook.tasks
                if task.check_cell == check_cell
            ),
        )


def find_course(given: Path | None = None) -> Path:
    """The course's folder: the one given, else ``course`` here or in a folder above; ``BadCourse`` if there is none."""
    here = Path.cwd()
    places = [given] if given else [here, *(folder / "course" for folder in (here, *here.parents))]
    for place in places:
        if (place / "source").is_dir():
            return place.resolve()
    where = f"{given} has no folder source/" if given else f"no course with a folder source/ is in {here} or above"
    raise BadCourse(f"{where}; name the course's folder with --course")


def exercises_of(course: Path) -> Path:
    """The folder of a course's exercises: its own, or the one that is used where a course has none."""
    own = course / "exercises"
    return own if own.is_dir() else exercises_root()


def load_assignments(course: Path, name: str | None = None) -> list[Assignment]:
    """The assignments of a course (or the one called ``name``), in order; ``BadCourse`` when there is none."""
    source = course / "source"
    folders = sorted(path for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
    chosen = [folder for folder in folders if name in (None, folder.name)]
    if not chosen:
        known = ", ".join(folder.name for folder in folders) or "none"
        raise BadCourse(f"{source} has no assignment {name or ''}".rstrip() + f"; it has {known}")
    return [_assignment(folder) for folder in chosen]


def grade_id(cell: Cell) -> str:
    """The name that nbgrader knows a cell by, or '' for a cell that it does not know."""
    metadata = cell.get("metadata")
    known = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    identity = known.get("grade_id", "") if isinstance(known, dict) else ""
    return identity if isinstance(identity, str) else ""


def source_of(cell: Cell) -> str:
    """The text of a cell, which may be stored as a list of lines."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else source


def read_answer(source: str) -> tuple[Opening | None, str]:
    """How an answer cell begins, and the answer below that line; None if it does not begin as one.

    As in Jupyter, blank lines before it do not count, nor does an indentation of the whole cell.
    """
    text = source.replace("\r\n", "\n").lstrip("\ufeff")
    text = text[text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1 :]
    if text[:1].isspace():
        text = textwrap.dedent(text)
    first, _, content = text.partition("\n")
    match = _OPENING.match(first)
    return Opening(match[1], match[2]) if match else None, content


def _assignment(folder: Path) -> Assignment:
    notebooks = tuple(_notebook(path) for path in sorted(folder.glob("*.ipynb")))
    if not notebooks:
        raise BadCourse(f"{folder}: there is no notebook in this assignment")
    return Assignment(folder.name, notebooks)


def _notebook(path: Path) -> Notebook:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["cells"] = [{**cell, "source": source_of(cell)} for cell in document["cells"]]
        return Notebook(path.stem, document, tuple(_tasks(path, document["cells"])))
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, BadCourse):
            raise
        raise BadCourse(f"{path}: not a notebook as nbgrader writes them: {error!r}") from error


def _tasks(path: Path, cells: list[Cell]) -> list[Task]:
    """The tasks of a notebook: a graded ``check(...)`` cell, and the answer cell that stands last before it."""
    tasks: list[Task] = []
    answer: Cell | None = None
    for cell in cells:
        known = cell["metadata"].get("nbgrader", {})
        if known.get("solution"):
            answer = cell
        check = _CHECK.search(source_of(cell)) if known.get("grade") else None
        if check is None:
            continue
        opening = read_answer(source_of(answer))[0] if answer else None
        if answer is None or opening is None:
            raise BadCourse(f"{path}: no answer cell with a line such as %%manifest stands before {known['grade_id']}")
        tasks.append(Task(check[2], grade_id(answer), known["grade_id"], opening, float(known["points"])))
        answer = None
    return tasks
