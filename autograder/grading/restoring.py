"""Undoing what was tampered with: every cell that nbgrader knows is brought back to what the instructor made it.

Source, type, points and all metadata of graded cells come from the source notebook; of an answer only its text is the
student's.  A cell that stands twice counts once (the last one), and cells that are missing are put back.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from autograder.grading.assignment import Cell, Notebook, grade_id, source_of


@dataclass(frozen=True, slots=True)
class Restored:
    """A student's cells as they are graded, and what had to be put right, in words."""

    cells: list[Cell]
    notes: tuple[str, ...]

    def answer(self, identity: str) -> str:
        """The text of an answer cell."""
        return next(source_of(cell) for cell in self.cells if grade_id(cell) == identity)


def restored(cells: list[Cell], notebook: Notebook) -> Restored:
    """The cells of a submission, put right; the cells given are not changed."""
    originals = notebook.graded_cells()
    notes: list[str] = []
    kept: list[Cell] = []
    seen: set[str] = set()
    for cell in reversed(cells):
        identity = grade_id(cell)
        if identity not in originals:
            if identity:
                notes.append(f"a cell claims to be {identity!r}, which this notebook does not have")
            kept.append({**cell, "metadata": {}})
        elif identity in seen:
            notes.append(f"the cell {identity!r} stands twice; the last one counts")
            kept.append({**cell, "metadata": {}})
        else:
            seen.add(identity)
            kept.append(_put_right(cell, originals[identity], notes))
    kept.reverse()
    for identity, original in originals.items():
        if identity not in seen:
            notes.append(f"the cell {identity!r} was missing")
            empty = {**copy.deepcopy(original), "source": ""} if _is_answer(original) else copy.deepcopy(original)
            kept.append(_without_outputs(empty))
    return Restored(kept, tuple(dict.fromkeys(notes)))


def _put_right(cell: Cell, original: Cell, notes: list[str]) -> Cell:
    identity = grade_id(original)
    result = _without_outputs(copy.deepcopy(original))
    if _is_answer(original):
        result["source"] = source_of(cell)
    elif source_of(cell) != source_of(original):
        notes.append(f"the cell {identity!r} was changed")
    given = cell["metadata"].get("nbgrader")
    expected = original["metadata"]["nbgrader"]
    marks = ("grade", "solution", "locked", "points", "task")
    if any(mark in given and given[mark] != expected.get(mark) for mark in marks):
        notes.append(f"the marks of the cell {identity!r} were changed")
    if cell["metadata"].get("tags"):
        notes.append(f"the cell {identity!r} was given tags")
    if cell["cell_type"] != original["cell_type"]:
        notes.append(f"the cell {identity!r} was made a {cell['cell_type']} cell")
    return result


def _is_answer(original: Cell) -> bool:
    known = original["metadata"]["nbgrader"]
    return bool(known.get("solution")) and not known.get("locked")


def _without_outputs(cell: Cell) -> Cell:
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
    return cell
