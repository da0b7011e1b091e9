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
from autograder.grading.graded import Graded, GradedSubmission
from autograder.grading.restoring import Note

#: Follows totals that hold an answer which nobody has judged.
MARK: Final = "*"
#: Follows totals of work in which somebody altered what points hang on.
TAMPERED: Final = "!"

#: What is printed of an answer: its points, or why it has none.
_Result = float | str


@dataclass(frozen=True, slots=True)
class _Part:
    """What is printed of one student's work on one assignment."""

    results: tuple[_Result, ...]
    seconds: float
    was_tampered_with: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """One student's results, in the order of the columns."""

    student: str
    results: tuple[_Result, ...]
    possible: float
    seconds: float
    was_tampered_with: bool

    @property
    def scores(self) -> list[float]:
        """The points of the answers that were judged."""
        return [one for one in self.results if not isinstance(one, str)]

    @property
    def is_complete(self) -> bool:
        """Whether all answers were judged."""
        return len(self.scores) == len(self.results)

    def totals(self) -> list[str]:
        """Points of all that can be earned, their share (dashes if nothing was judged), and the time it took."""
        total = percent = "-"
        if self.scores:
            earned = tidy(sum(self.scores))
            marks = MARK * (not self.is_complete) + TAMPERED * self.was_tampered_with
            total, percent = f"{earned:g}/{self.possible:g}{marks}", f"{earned / self.possible:.0%}{marks}"
        return [total, percent, f"{self.seconds:.2f} s"]

    def cells(self) -> list[str]:
        """What stands in each column."""
        shown = [one if isinstance(one, str) else f"{one:g}" for one in self.results]
        return [self.student, *shown, *self.totals()]


class _Table:
    """What is printed of a class: of each submission only the results and what is to be remarked on it."""

    def __init__(self, batch: Batch) -> None:
        self.assignments, self.students = batch.assignments, batch.students
        self.remarks: list[str] = []
        self._parts: dict[tuple[str, str], _Part] = {}
        for graded in batch.submissions:
            place = (graded.submission.student, graded.submission.assignment)
            results = tuple(one.verdict.status.value if one.score is None else one.score for one in graded.graded)
            self._parts[place] = _Part(results, graded.seconds, graded.was_tampered_with)
            self.remarks += _remarks(graded)
        self.remarks += batch.strays

    def rows(self, assignments: Sequence[Assignment]) -> Iterator[_Row]:
        """The students' rows in a table of some assignments."""
        possible = tidy(sum(task.points for assignment in assignments for task in assignment.tasks))
        for student in self.students:
            own = [self._parts[student, assignment.name] for assignment in assignments]
            yield _Row(
                student,
                tuple(one for part in own for one in part.results),
                possible,
                sum(part.seconds for part in own),
                any(part.was_tampered_with for part in own),
            )


def lines(batch: Batch) -> Iterator[str]:
    """The table, what had to be put right, and why answers have no points."""
    table = _Table(batch)
    if len(batch.assignments) == 1:
        yield from _shown(batch.assignments[0], table)
    elif batch.assignments:
        for assignment in batch.assignments:
            yield from (assignment.name, "", *_shown(assignment, table), "")
        yield from _totals(table)
    if not all(row.is_complete for row in table.rows(batch.assignments)):
        yield f"{MARK} without the answers that were not judged; the gradebook asks for a score by hand"
    if any(row.was_tampered_with for row in table.rows(batch.assignments)):
        yield f"{TAMPERED} what points hang on was altered, and put right before anything was judged"
    if table.remarks:
        yield ""
        yield from table.remarks


def _shown(assignment: Assignment, table: _Table) -> Iterator[str]:
    """One assignment, exercise by exercise."""
    topics = [task.exercise.partition("/") for task in assignment.tasks]
    rows = list(table.rows([assignment]))
    heads = [
        ["student", *(f"{topic}/" for topic, _, _ in topics), "total", "", "time"],
        ["", *(name for _, _, name in topics), "", "", ""],
        ["", *(f"of {task.points:g}" for task in assignment.tasks), "", "", ""],
    ]
    yield from _aligned([*heads, [], *(row.cells() for row in rows), [], _means(assignment, rows)])


def _totals(table: _Table) -> Iterator[str]:
    """All assignments, and what they add up to."""
    head = ["student", *(assignment.name for assignment in table.assignments), "total", "", "time"]
    columns = [table.rows([assignment]) for assignment in table.assignments]
    cells = [
        [row.student, *(one.totals()[0] for one in own), *row.totals()]
        for row, *own in zip(table.rows(table.assignments), *columns, strict=True)
    ]
    yield from _aligned([head, [], *cells])


def _means(assignment: Assignment, rows: Sequence[_Row]) -> list[str]:
    """The mean of every column, of the answers that were judged, and what these means add up to."""
    columns = list(zip(*(row.results for row in rows), strict=True))
    judged = [[one for one in column if not isinstance(one, str)] for column in columns]
    means = [sum(scores) / len(scores) if scores else None for scores in judged]
    known = [(mean, task.points) for mean, task in zip(means, assignment.tasks, strict=True) if mean is not None]
    earned, possible = sum(mean for mean, _ in known), sum(points for _, points in known)
    total = f"{earned:.1f}/{possible:g}" if known else "-"
    seconds = f"{sum(row.seconds for row in rows) / len(rows):.2f} s" if rows else ""
    shown = ["-" if mean is None else f"{mean:.1f}" for mean in means]
    return ["mean", *shown, total, f"{earned / possible:.0%}" if possible else "-", seconds]


def _remarks(graded: GradedSubmission) -> Iterator[str]:
    """What is to be said of a submission beside its points."""
    if graded.handed_in:
        name = f"{graded.submission.student}, {graded.submission.assignment}"
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
