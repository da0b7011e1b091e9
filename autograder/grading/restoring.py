"""Undoing what was tampered with: every cell that nbgrader knows is brought back to what the instructor made it.

Source, type, points and all metadata of graded cells come from the source notebook; of an answer only its text is the
student's.  Of cells of one name the last counts, and cells that are missing are put back without an answer.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from autograder.grading.assignment import Cell, Notebook, Task, grade_id, read_answer, source_of

#: What nbgrader goes by in a cell's metadata.
_MARKS: Final = ("grade", "solution", "locked", "points", "task")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that had to be put right; ``cell`` is the known cell it is about, or ''.  Quotes nothing.

    ``is_tampering``: it is about what points hang on, and no slip of somebody who writes an answer.
    """

    cell: str
    text: str
    is_tampering: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """A student's cells as they are graded, and what had to be put right."""

    cells: list[Cell]
    notes: tuple[Note, ...]

    def answer(self, identity: str) -> str:
        """The text of an answer cell."""
        return next(source_of(cell) for cell in self.cells if grade_id(cell) == identity)


def restored(cells: Sequence[Cell], notebook: Notebook) -> Restored:
    """The cells of a submission, put right; the cells given are not changed."""
    originals = notebook.graded_cells()
    last = {grade_id(cell): index for index, cell in enumerate(cells)}
    notes: list[Note] = []
    kept: list[Cell] = []
    for index, cell in enumerate(cells):
        identity = grade_id(cell)
        if identity in originals and last[identity] == index:
            kept.append(_put_right(cell, originals[identity], notes))
            continue
        kept.append({"cell_type": cell["cell_type"], "metadata": {}, **_content(cell)})
        if identity in originals:
            said = f"the cell {identity} stands more than once; the last one counts"
            notes.append(Note(identity, said, _holds_points(originals[identity])))
        elif identity:
            said = f"cell {index + 1} has a name that this notebook does not know"
            notes.append(Note("", said, _holds_points(cell)))
        notes += _claims(cell, notebook.tasks)
    _put_back(kept, originals, notes)
    return Restored(valid(kept), tuple(dict.fromkeys(notes)))


def blank(notebook: Notebook) -> list[Cell]:
    """The cells that nbgrader knows, without any answer: what stands for a notebook that cannot be read."""
    return restored((), notebook).cells


def valid(cells: Sequence[Cell]) -> list[Cell]:
    """The cells with everything that a notebook must have, where they lack it."""
    return [
        {"id": f"cell-{number}", **({"outputs": [], "execution_count": None} if _is_code(cell) else {}), **cell}
        for number, cell in enumerate(cells, 1)
    ]


def _put_right(cell: Cell, original: Cell, notes: list[Note]) -> Cell:
    identity, is_older = grade_id(original), _is_as_released(cell)
    holds_points = _holds_points(original) and not is_older
    result = _unrun(original)
    if _is_answer(original):
        result |= _content({**cell, "cell_type": original["cell_type"]})
    elif source_of(cell).strip() != source_of(original).strip():
        notes.append(Note(identity, f"the cell {identity} was changed, and was put right", holds_points))
    given, expected = cell["metadata"]["nbgrader"], original["metadata"]["nbgrader"]
    if any(mark in given and given[mark] != expected.get(mark) for mark in _MARKS):
        said = f"the marks of the cell {identity} were changed, and were put right"
        notes.append(Note(identity, said, is_tampering=not is_older))
    if cell["metadata"].get("tags") != original["metadata"].get("tags"):
        said = f"the tags of the cell {identity} were changed, and were put right"
        notes.append(Note(identity, said, holds_points))
    if cell["cell_type"] != original["cell_type"]:
        said = f"the cell {identity} was made a {cell['cell_type']} cell, and was put right"
        notes.append(Note(identity, said, holds_points))
    return result


def _put_back(kept: list[Cell], originals: dict[str, Cell], notes: list[Note]) -> None:
    """Insert the known cells that are missing, each behind the known cell that stands before it in the source."""
    place = 0
    for identity, original in originals.items():
        there = next((index for index, cell in enumerate(kept) if grade_id(cell) == identity), None)
        if there is None:
            missing = _unrun(original)
            kept.insert(place, {**missing, "source": ""} if _is_answer(original) else missing)
            said = f"the cell {identity} was missing, and was put back"
            notes.append(Note(identity, said, _holds_points(original)))
            there = place
        place = there + 1


def _claims(cell: Cell, tasks: Sequence[Task]) -> list[Note]:
    """What is to be said of a cell that is no answer cell and writes the file of one."""
    opening = read_answer(source_of(cell))[0]
    return [
        Note(task.answer_cell, f"another cell writes {task.opening.file} too; the cell {task.answer_cell} counts")
        for task in tasks
        if opening is not None and opening.file == task.opening.file
    ]


def _content(cell: Cell) -> Cell:
    """What a student wrote into a cell: the text, and the pictures in it."""
    pictures = cell["cell_type"] == "markdown" and cell.get("attachments")
    return {"source": source_of(cell), **({"attachments": pictures} if pictures else {})}


def _is_answer(original: Cell) -> bool:
    """Whether the text of a cell is the student's.  nbgrader takes every solution cell for unlocked."""
    return bool(original["metadata"]["nbgrader"].get("solution"))


def _holds_points(cell: Cell) -> bool:
    """Whether a cell says that there are points for it."""
    return bool(cell["metadata"]["nbgrader"].get("grade"))


def _is_as_released(cell: Cell) -> bool:
    """Whether a cell has nbgrader's checksum of itself: then it is of a release, if not of the newest one."""
    marks = cell["metadata"]["nbgrader"]
    said = [
        source_of(cell), cell["cell_type"], *(str(marks.get(mark, False)) for mark in ("grade", "solution", "locked")),
        grade_id(cell),
    ]  # fmt: skip
    points = marks.get("points")
    if marks.get("grade") and isinstance(points, int | float):
        said.append(str(float(points)))
    checksum = hashlib.md5("".join(said).encode("utf-8", "surrogatepass"), usedforsecurity=False)
    return bool(marks.get("checksum") == checksum.hexdigest())


def _unrun(original: Cell) -> Cell:
    """A copy of a cell of the source, as it is before it was run."""
    cell = copy.deepcopy(original)
    if _is_code(cell):
        cell["outputs"], cell["execution_count"] = [], None
    return cell


def _is_code(cell: Cell) -> bool:
    return bool(cell["cell_type"] == "code")
