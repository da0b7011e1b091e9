"""What grading the sample class costs: ``autograder grade`` against stock ``nbgrader autograde``, in one run.

Stock means the settings that nbgrader comes with: every notebook is executed in a kernel.  Both are whole programs,
so that start-up is in what is measured; it is told apart by grading more submissions, or fewer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COURSE: Final = Path(__file__).parents[1] / "course"

#: How often the class is copied, for the difference that more submissions make to what takes so little time for each.
COPIES: Final = 10
#: Runs of what takes so little time, of which the fastest counts: a busy machine only ever adds.
ROUNDS: Final = 3

#: Stock nbgrader, with nothing but what it cannot guess.
STOCK: Final = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall time: for the class, of which to start the program, and for each submission beyond that."""

    total: float
    start: float
    each: float


def report(quick: bool = False) -> None:
    """Print the figures; ``quick`` takes the first lesson only."""
    lessons = sorted({path.name for path in COURSE.glob("submitted/*/*") if path.is_dir()})[: 1 if quick else None]
    count = sum(1 for student in (COURSE / "submitted").iterdir() for lesson in lessons if (student / lesson).is_dir())
    with tempfile.TemporaryDirectory() as folder:
        ours = _ours(Path(folder), lessons, count)
        stock = _stock(Path(folder), lessons, count)
    print(f"Grading the sample class, {count} submissions of {len(lessons)} lessons")
    for name, cost in (("autograder grade", ours), ("stock nbgrader autograde", stock)):
        print(
            f"  {name:<26} {cost.total:7.1f} s, of which start-up {cost.start:5.1f} s; "
            f"{cost.each * 1000:7.0f} ms for each submission"
        )
    print(f"  ratio                      {stock.total / ours.total:7.1f} x in all, {stock.each / ours.each:.1f} x each")


def _ours(folder: Path, lessons: Sequence[str], count: int) -> Cost:
    grade = [sys.executable, "-m", "autograder", "grade", "--course", "."]
    whole, copied = _course(folder / "ours", lessons), _course(folder / "ours-many", lessons, copies=COPIES)
    total, many = (min(_seconds(grade, course) for _ in range(ROUNDS)) for course in (whole, copied))
    each = (many - total) / (count * (COPIES - 1))
    return Cost(total, total - count * each, each)


def _stock(folder: Path, lessons: Sequence[str], count: int) -> Cost:
    alone, whole = _course(folder / "alone", lessons[:1], students=1), _course(folder / "stock", lessons)
    one = _stock_seconds(alone, lessons[:1])
    total = _stock_seconds(whole, lessons)
    each = (total - len(lessons) * one) / (count - len(lessons))  # a start for each lesson, each with one submission
    return Cost(total, total - count * each, each)


def _stock_seconds(course: Path, lessons: Sequence[str]) -> float:
    nbgrader = [sys.executable, "-m", "nbgrader"]
    for lesson in lessons:
        _seconds([*nbgrader, "generate_assignment", lesson], course)
    (course / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    return sum(_seconds([*nbgrader, "autograde", lesson], course, may_fail=True) for lesson in lessons)


def _course(folder: Path, lessons: Sequence[str], *, students: int | None = None, copies: int = 1) -> Path:
    """A copy of the course with these lessons, and with the first so many students, each so many times."""
    shutil.copytree(COURSE / "exercises", folder / "exercises")
    shutil.copy(COURSE / "nbgrader_config.py", folder)
    for lesson in lessons:
        shutil.copytree(COURSE / "source" / lesson, folder / "source" / lesson)
        for student in sorted((COURSE / "submitted").iterdir())[:students]:
            for number in range(copies):
                shutil.copytree(student / lesson, folder / "submitted" / f"{student.name}-{number}" / lesson)
    return folder


def _seconds(command: Sequence[str], folder: Path, *, may_fail: bool = False) -> float:
    """How long a program runs.  ``may_fail``: stock nbgrader does when a notebook of the class cannot be read."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    path = os.pathsep.join([str(COURSE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    begin = time.perf_counter()
    ran = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": tools, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    passed = time.perf_counter() - begin
    if ran.returncode and not may_fail:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ran.stdout}{ran.stderr}")
    return passed


if __name__ == "__main__":
    report(quick="--quick" in sys.argv)
