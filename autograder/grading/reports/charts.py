"""The drawings of the class report, as SVG with classes that the page's style gives colours to.

Nothing in them needs a script, a font or a picture from elsewhere.  The colours are told apart by how light they are,
so that they can be read in grey and by those who do not see all colours; a table beside each drawing says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from autograder.checks.verdict import Outcome, Status
from autograder.grading.reports.cleaning import short

#: How a cell of the heat-map is drawn, by what became of the criterion: a class of the style, and a sign.
CELLS: Final[Mapping[str, tuple[str, str]]] = {
    Outcome.PASSED.value: ("passed", ""),
    Outcome.PARTLY.value: ("partly", "◐"),
    Outcome.FAILED.value: ("failed", "✗"),
    Outcome.BLOCKED.value: ("blocked", "–"),
    Status.NOT_SUBMITTED.value: ("missing", ""),
}
#: Everything else: nobody has judged it.
UNJUDGED_CELL: Final = ("unjudged", "?")
LEGEND: Final = (
    ("passed", "passed"), ("partly", "partly passed"), ("failed", "failed"), ("blocked", "not looked at"),
    ("unjudged", "not judged"), ("missing", "no answer"),
)  # fmt: skip

#: Pixels of the drawing: its height for a large class (a student has a pixel if that is not too high), its width, rows
#: and columns at their best, and room for names.
_HEIGHT, _HIGHEST, _WIDTH = 560, 1_200, 760
_ROW, _COLUMN = 16, 20
_NAMES, _HEADS = 120, 160
#: Students up to whom each has a name and each cell a sign.
_NAMED: Final = 60
#: Space between the criteria of two exercises.
_GAP: Final = 6


def histogram(counts: Sequence[int], title: str) -> Markup:
    """Bars for the parts of 0 to 100 %, each with its number on top."""
    width, height, left, foot = 660, 200, 40, 40
    bar, most = (width - left) / len(counts), max(*counts, 1)
    parts = []
    for number, count in enumerate(counts):
        x, tall = left + number * bar, (height - foot - 20) * count / most
        y = height - foot - tall
        parts.append(f'<rect class="bar" x="{x + 2:.1f}" y="{y:.1f}" width="{bar - 4:.1f}" height="{tall:.1f}"/>')
        if count:
            parts.append(f'<text x="{x + bar / 2:.1f}" y="{y - 5:.1f}" text-anchor="middle">{count}</text>')
    for number in range(len(counts) + 1):
        x = left + number * bar
        parts.append(
            f'<text class="faint" x="{x:.1f}" y="{height - foot + 16}" text-anchor="middle">'
            f"{100 * number // len(counts)} %</text>"
        )
    parts.append(f'<path class="axis" d="M{left} {height - foot}H{width}"/>')
    parts.append(
        f'<text class="faint" x="{(width + left) / 2}" y="{height - 4}" text-anchor="middle">share of all points</text>'
    )
    return _svg(width + 20, height, title, "".join(parts))


def meter(share: float | None) -> Markup:
    """A small bar for a share from 0 to 1; what it shows stands beside it as a number."""
    filled = "" if share is None else f'<rect class="bar" width="{60 * share:.1f}" height="8"/>'
    return Markup(
        f'<svg class="meter" width="60" height="8" viewBox="0 0 60 8" aria-hidden="true">'
        f'<rect class="rail" width="60" height="8"/>{filled}</svg>'
    )


@dataclass(frozen=True, slots=True)
class HeatMap:
    """What became of every criterion (across) for every student (down): ``outcomes`` has a row for each student."""

    title: str
    students: Sequence[str]
    columns: Sequence[tuple[str, str]]  #: exercise and criterion
    outcomes: Sequence[Sequence[str]]

    def svg(self) -> Markup:
        """The drawing; for a large class its rows have no names and are as thin as they must be."""
        named = len(self.students) <= _NAMED
        row = _ROW if named else min(max(_HEIGHT, len(self.students)), _HIGHEST) / len(self.students)
        column = min(_COLUMN, _WIDTH / max(len(self.columns), 1))
        left = _NAMES if named else 30
        starts = list(self._starts(left, column))
        parts = [*self._heads(starts, column), *self._names(row, left, named), *self._cells(starts, row, column, named)]
        height = _HEADS + row * len(self.students) + (0 if named else 4)
        width = (starts[-1] if starts else left) + column + 90
        return _svg(width, height, self.title, "".join(parts), "heat")

    def _starts(self, left: float, column: float) -> Iterator[float]:
        """Where each column begins."""
        x, before = left, self.columns[0][0] if self.columns else ""
        for exercise, _ in self.columns:
            x += _GAP if exercise != before else 0
            before = exercise
            yield x
            x += column

    def _heads(self, starts: Sequence[float], column: float) -> Iterator[str]:
        for start, (exercise, criterion) in zip(starts, self.columns, strict=True):
            x, y = start + column / 2 + 3, _HEADS - 6
            label = short(f"{exercise.rpartition('/')[2]}: {criterion}", 30)
            yield f'<text class="head" x="{x:.1f}" y="{y}" transform="rotate(-60 {x:.1f} {y})">{escape(label)}</text>'

    def _names(self, row: float, left: float, named: bool) -> Iterator[str]:
        if not named:
            middle = _HEADS + row * len(self.students) / 2
            label = f"{len(self.students)} students, the best on top"
            place = f'x="14" y="{middle:.0f}" text-anchor="middle" transform="rotate(-90 14 {middle:.0f})"'
            yield f'<text class="faint" {place}>{label}</text>'
            return
        for number, student in enumerate(self.students):
            y = _HEADS + row * number + row * 0.75
            yield f'<text x="{left - 6}" y="{y:.1f}" text-anchor="end">{escape(short(student, 16))}</text>'

    def _cells(self, starts: Sequence[float], row: float, column: float, named: bool) -> Iterator[str]:
        """One path for each kind of cell, in which equal cells below each other are one rectangle."""
        paths: dict[str, list[str]] = {}
        signs: list[str] = []
        gap = 1 if named else 0
        for x, outcomes in zip(starts, zip(*self.outcomes, strict=True), strict=True):
            at = 0
            for (kind, sign), run in groupby(outcomes, lambda outcome: CELLS.get(outcome, UNJUDGED_CELL)):
                count = len(list(run))
                for first, many in [(at + one, 1) for one in range(count)] if named else [(at, count)]:
                    y, tall = _HEADS + row * first, row * many - gap
                    paths.setdefault(kind, []).append(f"M{x:.1f} {y:.1f}h{column - 1:.1f}v{tall:.1f}h{1 - column:.1f}z")
                    if named and sign:
                        signs.append(
                            f'<text class="sign {kind}" x="{x + column / 2 - 0.5:.1f}" y="{y + row * 0.72:.1f}" '
                            f'text-anchor="middle">{sign}</text>'
                        )
                at += count
        for kind, path in paths.items():
            yield f'<path class="{kind}" d="{"".join(path)}"/>'
        yield from signs


def _svg(width: float, height: float, title: str, content: str, kind: str = "") -> Markup:
    """A drawing that shrinks with the page; ``content`` is ours, or escaped."""
    return Markup(
        f'<svg class="chart {kind}" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" shape-rendering="crispEdges">'
        f"<title>{escape(title)}</title>{content}</svg>"
    )


def kinds(outcomes: Iterable[str]) -> list[str]:
    """The classes of cells by outcome."""
    return [CELLS.get(outcome, UNJUDGED_CELL)[0] for outcome in outcomes]
