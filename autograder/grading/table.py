"""A graded class as people read it on a terminal: a row for each student, a column for each exercise.

Of several assignments each has a table of its own, and one more shows the totals of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from autograder.checks.verdict import Status, tidy
from autograder.grading.assignment import Assignment
from autograder.grading.batch import Batch
from autograder.grading.engine import Graded
from autograder.grading.restoring import Note

#: Follows totals that hold an answer which nobody has judged.
MARK: Final = "*"
#: Follows totals of work in which somebody altered what points hang on.
TAMPERED: Final = "!"


@dataclass(frozen=True)
class _Row:
    """One student's results, in the order of the columns."""

    student: str
    graded: tuple[Graded, ...]
    seconds: float
    was_tampered_with: bool = False

    @property
    def earned(self) -> float:
        return tidy(sum(one.score or 0 for one in self.graded))

    @property
    def possible(self) -> float:
        return tidy(sum(one.task.points for one in self.graded))

    @property
    def is_judged(self) -> bool:
        return any(one.score is not None for one in self.graded)

    @property
    def is_complete(self) -> bool:
        return all(one.score is not None for one in self.graded)

    def totals(self) -> list[str]:
        """Points of all that can be earned, their share, and the time it took."""
        total, percent = f"{self.earned:g}/{self.possible:g}", f"{self.earned / self.possible:.0%}"
        if not self.is_judged:
            total = percent = "-"
        else:
            marks = MARK * (not self.is_complete) + TAMPERED * self.was_tampered_with
            total, percent = total + marks, percent + marks
        return [total, percent, f"{self.seconds:.2f} s"]

    def cells(self) -> list[str]:
        return [self.student, *map(_shown, self.graded), *self.totals()]


def lines(batch: Batch) -> Iterator[str]:
    """The table, what had to be put right, and why answers have no points."""
    rows = [_row(student, batch, batch.assignments) for student in batch.students]
    if len(batch.assignments) == 1:
        yield from _table(batch.assignments[0], batch)
    elif batch.assignments:
        for assignment in batch.assignments:
            yield from (assignment.name, "", *_table(assignment, batch), "")
        yield from _totals(rows, batch)
    if not all(row.is_complete for row in rows):
        yield f"{MARK} without the answers that were not judged; the gradebook asks for a score by hand"
    if any(row.was_tampered_with for row in rows):
        yield f"{TAMPERED} what points hang on was altered, and put right before anything was judged"
    remarks = [*_remarks(batch), *batch.strays]
    if remarks:
        yield ""
        yield from remarks


def _table(assignment: Assignment, batch: Batch) -> Iterator[str]:
    """One assignment, exercise by exercise."""
    topics = [task.exercise.partition("/") for task in assignment.tasks]
    rows = [_row(student, batch, [assignment]) for student in batch.students]
    heads = [
        ["student", *(f"{topic}/" for topic, _, _ in topics), "total", "", "time"],
        ["", *(name for _, _, name in topics), "", "", ""],
        ["", *(f"of {task.points:g}" for task in assignment.tasks), "", "", ""],
    ]
    yield from _aligned([*heads, [], *(row.cells() for row in rows), [], _means(rows)])


def _totals(rows: Sequence[_Row], batch: Batch) -> Iterator[str]:
    """All assignments, and what they add up to."""
    head = ["student", *(assignment.name for assignment in batch.assignments), "total", "", "time"]
    cells = [
        [row.student, *(_row(row.student, batch, [one]).totals()[0] for one in batch.assignments), *row.totals()]
        for row in rows
    ]
    yield from _aligned([head, [], *cells])


def _row(student: str, batch: Batch, assignments: Sequence[Assignment]) -> _Row:
    names = {assignment.name for assignment in assignments}
    own = [graded for graded in batch.by_student[student] if graded.submission.assignment in names]
    return _Row(
        student,
        tuple(one for graded in own for one in graded.graded),
        sum(graded.seconds for graded in own),
        any(graded.was_tampered_with for graded in own),
    )


def _means(rows: Sequence[_Row]) -> list[str]:
    """The mean of every column, of the answers that were judged, and what these means add up to."""
    columns = list(zip(*(row.graded for row in rows), strict=True))
    judged = [[one.score for one in column if one.score is not None] for column in columns]
    means = [sum(scores) / len(scores) if scores else None for scores in judged]
    known = [(mean, column[0].task.points) for mean, column in zip(means, columns, strict=True) if mean is not None]
    earned, possible = sum(mean for mean, _ in known), sum(points for _, points in known)
    total = f"{earned:.1f}/{possible:g}" if known else "-"
    seconds = f"{sum(row.seconds for row in rows) / len(rows):.2f} s" if rows else ""
    shown = ["-" if mean is None else f"{mean:.1f}" for mean in means]
    return ["mean", *shown, total, f"{earned / possible:.0%}" if possible else "-", seconds]


def _remarks(batch: Batch) -> Iterator[str]:
    for graded in batch.submissions:
        name = f"{graded.submission.student}, {graded.submission.assignment}"
        if not graded.handed_in:
            continue
        for notebook in graded.notebooks:
            for text in dict.fromkeys(map(_told, notebook.notes)):
                yield f"{name}: {text}"
        yield from dict.fromkeys(f"{name}: {_reason(one)}" for one in graded.graded if one.score is None)


def _told(note: Note) -> str:
    return f"{Status.TAMPERED.value}: {note.text}" if note.is_tampering else note.text


def _reason(graded: Graded) -> str:
    """Why an answer has no points, on one line that cannot move a terminal's cursor."""
    result = next((one for one in graded.verdict.criteria if one.message), None)
    where = f"{result.where}: " if result and result.where else ""
    message = " ".join(f"{where}{result.message if result else ''}".split())
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in message)[:300]
    status = graded.verdict.status
    if status is Status.GRADED or text.startswith(status.value):
        return text
    return f"{status.value}: {text}"


def _shown(graded: Graded) -> str:
    return graded.verdict.status.value if graded.score is None else f"{graded.score:g}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns padded to their widths, the first to the left; an empty row becomes a rule."""
    count = max(len(row) for row in rows)
    widths = [max((len(row[index]) for row in rows if index < len(row)), default=0) for index in range(count)]
    for row in rows:
        if not row:
            yield "-" * (sum(widths) + 2 * (count - 1))
            continue
        padded = [
            text.ljust(width) if index == 0 else text.rjust(width)
            for index, (text, width) in enumerate(zip(row, widths, strict=False))
        ]
        yield "  ".join(padded).rstrip()
