"""What grading a class costs: ``autograder grade`` against stock ``nbgrader autograde``, in one run.

Stock means the settings that nbgrader comes with: every notebook is executed in a kernel.  Both are whole programs,
gradebook included; start-up is told apart by grading a class of one student too.  A class answers as in life, where
answers coincide and equal ones are judged once, and then so that no two answers are the same and all are judged.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.grading.footprint import MEGABYTE, peak
from benchmarks.classes import COURSE, hand_in, make_course

#: Students of the class that does every exercise, and of the sample of it that stock nbgrader grades.
STUDENTS: Final = 100
SAMPLE: Final = 3
#: The lesson that very many hand in; it has answers in all forms.
LESSON: Final = "07-pods"
MANY: Final = 1000
#: What ``--quick`` makes of these numbers.
QUICK: Final = 10

#: Stock nbgrader, with nothing but what it cannot guess.
STOCK: Final = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"

GRADE: Final = (sys.executable, "-m", "autograder", "grade", "--course", ".")
NBGRADER: Final = (sys.executable, "-m", "nbgrader")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall time: in all, and of that to start the program; how many submissions; bytes of a worker."""

    total: float
    start: float
    count: int
    worker: int = 0

    @property
    def each(self) -> float:
        """Seconds for each submission, the start of the program apart."""
        return (self.total - self.start) / self.count


def report(quick: bool = False) -> None:
    """Print the figures; ``quick`` takes one lesson and a tenth of the students."""
    lessons = [LESSON] if quick else sorted(path.name for path in (COURSE / "source").iterdir() if path.is_dir())
    students, many = (STUDENTS // QUICK, MANY // QUICK) if quick else (STUDENTS, MANY)
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        print(f"Grading {students} students with {len(lessons)} lessons each, {workers} workers, gradebook included")
        stock = _stock(root / "stock", lessons)
        _row(f"stock nbgrader, a sample of {stock.count}", stock)
        for name, distinct in (("answers as in life", False), ("no two answers the same", True)):
            ours = _ours(root / name, lessons, students, distinct=distinct)
            _row(f"autograder, {name}", ours, f"{stock.each / ours.each:6.0f} x")
        print(f"Grading one lesson, {LESSON}")
        for name, distinct in (("answers as in life", False), ("no two answers the same", True)):
            few, lots = (
                _ours(root / f"{name} {count}", [LESSON], count, distinct=distinct) for count in (many // 10, many)
            )
            _row(f"{few.count} submissions, {name}", few)
            _row(f"{lots.count} submissions, {name}", lots, f"{lots.each / few.each:6.2f} times the time for each")
        again = _run(GRADE, root / f"{name} {many}")
        _row("the same once more, from the ledger", Cost(again.total, lots.start, lots.count, again.worker))


def _row(name: str, cost: Cost, more: str = "") -> None:
    memory = f"; a worker takes {cost.worker // MEGABYTE} MB" if cost.worker else ""
    print(
        f"  {name:<50} {cost.total:7.1f} s, of which start-up {cost.start:5.1f} s; "
        f"{cost.each * 1000:7.1f} ms each {more}{memory}",
        flush=True,
    )


def _ours(folder: Path, lessons: Sequence[str], students: int, *, distinct: bool) -> Cost:
    """The cost of a class; that of starting is what a class of one student takes beyond its submissions."""
    course = make_course(folder, lessons)
    count = hand_in(course, 1, distinct=distinct)
    one = _run(GRADE, course)
    for path in course.glob("*.db*"):
        path.unlink()
    count += hand_in(course, students - 1, distinct=distinct, first=1)
    whole = _run(GRADE, course)
    start = max(0.0, (one.total * count - whole.total * len(lessons)) / (count - len(lessons)))
    return Cost(whole.total, start, count, whole.worker)


def _stock(folder: Path, lessons: Sequence[str]) -> Cost:
    """The cost of the first students with each lesson; nbgrader is started for each lesson."""
    course = make_course(folder, lessons)
    hand_in(course, 1)
    for lesson in lessons:
        _run([*NBGRADER, "generate_assignment", lesson], course)
    (course / "nbgrader_config.py").rename(course / "ours.py")
    (course / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    one = sum(_run([*NBGRADER, "autograde", lesson], course).total for lesson in lessons)
    (course / "ours.py").replace(course / "nbgrader_config.py")
    hand_in(course, SAMPLE, first=1)
    (course / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
    more = sum(_run([*NBGRADER, "autograde", lesson], course).total for lesson in lessons)
    each = (more - one) / (len(lessons) * (SAMPLE - 1))  # the first student is not graded a second time
    count = SAMPLE * len(lessons)
    return Cost(more, more - each * count, count)


@dataclass(frozen=True, slots=True)
class Ran:
    """Seconds that a program ran, and the most bytes that one of the processes took which it started."""

    total: float
    worker: int


def _run(command: Sequence[str], folder: Path) -> Ran:
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    path = os.pathsep.join([str(COURSE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PATH": tools, "PYTHONPATH": path}
    begin, worker = time.perf_counter(), 0
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said) as process,
    ):
        while process.poll() is None:
            worker = max(worker, *map(peak, _children(process.pid)), 0)
            time.sleep(0.05)
        passed = time.perf_counter() - begin
        said.seek(0)
        if process.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(command)} failed:\n{said.read()}")
    return Ran(passed, worker)


def _children(process: int) -> list[int]:
    """The processes that a process has started; none where the system does not tell."""
    try:
        return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    report(quick="--quick" in sys.argv)
