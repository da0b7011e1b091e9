"""What a verdict leaves in a notebook and in a gradebook: the outputs of the check cell, a comment on the answer."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from autograder.checks.rendering import as_html, as_text, summary
from autograder.checks.verdict import Status, Verdict
from autograder.grading.assignment import Cell, grade_id
from autograder.grading.graded import Graded, GradedNotebook

Json = dict[str, Any]


def outputs_of(graded: Graded, count: int) -> list[Json]:
    """The table of the verdict, then the points as nbgrader reads them: one plain number from 0 to the most."""
    points = float(min(max(graded.score or 0, 0), graded.task.points))
    table, text = _rendered(graded.verdict)
    return [
        {"output_type": "display_data", "data": {"text/html": table, "text/plain": text}, "metadata": {}},
        {
            "output_type": "execute_result",
            "data": {"text/plain": repr(points)},
            "metadata": {},
            "execution_count": count,
        },
    ]


@lru_cache(maxsize=1024)
def _rendered(verdict: Verdict) -> tuple[str, str]:
    """A verdict as HTML and as text; what one student is told, many are."""
    # nbgrader's pages take what stands between two dollars for a formula
    return f'<div class="tex2jax_ignore mathjax_ignore">{as_html(verdict)}</div>', as_text(verdict)


def comment_on(graded: Graded, notes: Iterable[str] = ()) -> str:
    """What the gradebook says of an answer.  nbgrader renders it as Markdown, so nothing in it is the student's."""
    lines = [summary(graded.verdict)]
    lost = [result.name for result in graded.verdict.criteria if result.is_lost]
    if graded.verdict.status is not Status.GRADED:
        lines.append("It was not judged; the table below the answer says why.")
    elif lost:
        lines.append(f"Not right: {', '.join(dict.fromkeys(lost))}. The table below the answer says why.")
    return "\n\n".join([*lines, *(f"Note: {note}." for note in notes)])


def status_in(comment: str | None) -> Status | None:
    """The status that ``comment_on`` wrote into a comment; None if that is not what the comment is."""
    first = (comment or "").partition("\n")[0]
    return next((status for status in Status if first.endswith(f"points ({status.value})")), None)


def scores_of(notebook: GradedNotebook) -> dict[str, float | None]:
    """The points by check cell; None where nothing was judged."""
    return {graded.task.check_cell: graded.score for graded in notebook.graded}


def comments_on(notebook: GradedNotebook) -> dict[str, str]:
    """The comments by answer cell."""
    return {graded.task.answer_cell: comment_on(graded, notebook.notes_on(graded.task)) for graded in notebook.graded}


def marked_cells(notebook: GradedNotebook) -> list[Cell]:
    """The cells of a graded notebook with the verdicts as outputs of the check cells."""
    outputs = {graded.task.check_cell: outputs_of(graded, count) for count, graded in enumerate(notebook.graded, 1)}
    counts = {identity: count for count, identity in enumerate(outputs, 1)}
    return [
        {**cell, "outputs": outputs[identity], "execution_count": counts[identity]}
        if (identity := grade_id(cell)) in outputs
        else cell
        for cell in notebook.cells
    ]
