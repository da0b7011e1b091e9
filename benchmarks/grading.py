"""What grading a class costs: ``autograder grade`` against stock ``nbgrader autograde``, in one run.

Stock means the settings that nbgrader comes with: every notebook is executed in a kernel.  Both are whole programs,
gradebook included; start-up is told apart by grading a class of one student too.  A class answers as in life, where
answers coincide and equal ones are judged once, and then so that no two answers are the same and all are judged.
Besides wall time it is told how long processors worked, which says more where other programs want them too.
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
class Ran:
    """A program that ran: seconds of wall time and of work, and the most bytes that a process took that it started."""

    wall: float
    work: float
    worker: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many submissions cost: in all, and of that to start the program."""

    whole: Ran
    start: Ran
    count: int

    @property
    def each(self) -> float:
        """Seconds of wall time for each submission, the start of the program apart."""
        return (self.whole.wall - self.start.wall) / self.count

    @property
    def work(self) -> float:
        """Seconds of work for each submission, the start of the program apart."""
        return (self.whole.work - self.start.work) / self.count


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
            _row(f"autograder, {name}", ours, _ratio(stock, ours))
        print(f"Grading one lesson, {LESSON}")
        for name, distinct in (("answers as in life", False), ("no two answers the same", True)):
            few, lots = (
                _ours(root / f"{name} {count}", [LESSON], count, distinct=distinct) for count in (many // 10, many)
            )
            _row(f"{few.count} submissions, {name}", few)
            growth = f"{lots.each / few.each:.2f} times the time for each, {lots.work / few.work:.2f} times the work"
            _row(f"{lots.count} submissions, {name}", lots, growth)
        again = _run(GRADE, root / f"{name} {many}")
        _row("the same once more, from the ledger", Cost(again, lots.start, lots.count))


def _ratio(stock: Cost, ours: Cost) -> str:
    return f"{stock.each / ours.each:.0f} times faster, {stock.work / ours.work:.0f} times less work"


def _row(name: str, cost: Cost, more: str = "") -> None:
    told = [
        f"  {name:<44} {cost.whole.wall:7.1f} s, of which start-up {cost.start.wall:5.1f} s",
        f"each {cost.each * 1000:7.1f} ms, {cost.work * 1000:7.1f} ms of work",
        *([more] if more else []),
        *([f"a worker takes {cost.whole.worker // MEGABYTE} MB"] if cost.whole.worker else []),
    ]
    print("; ".join(told), flush=True)


def _ours(folder: Path, lessons: Sequence[str], students: int, *, distinct: bool) -> Cost:
    """The cost of a class; that of starting is what a class of one student takes beyond its submissions."""
    course = make_course(folder, lessons)
    few = hand_in(course, 1, distinct=distinct)
    one = _run(GRADE, course)
    for path in course.glob("*.db*"):
        path.unlink()
    count = few + hand_in(course, students - 1, distinct=distinct, first=1)
    whole = _run(GRADE, course)
    return Cost(whole, _start((one, few), (whole, count)), count)


def _start(one: tuple[Ran, int], more: tuple[Ran, int]) -> Ran:
    """What two runs cost before their first submission, if each submission costs the same."""
    (few_ran, few), (more_ran, many) = one, more
    wall, work = (
        max(0.0, (small * many - large * few) / (many - few))
        for small, large in ((few_ran.wall, more_ran.wall), (few_ran.work, more_ran.work))
    )
    return Ran(wall, work)


def _stock(folder: Path, lessons: Sequence[str]) -> Cost:
    """The cost of the first students with each lesson; nbgrader is started for each lesson."""
    course = make_course(folder, lessons)
    for lesson in lessons:
        _run([*NBGRADER, "generate_assignment", lesson], course)
    ran = []
    for first, students in ((0, 1), (1, SAMPLE)):  # who has been graded is not graded again
        handed = hand_in(course, students, first=first)
        ours = (course / "nbgrader_config.py").read_text(encoding="utf-8")
        (course / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
        runs = [_run([*NBGRADER, "autograde", lesson], course) for lesson in lessons]
        (course / "nbgrader_config.py").write_text(ours, encoding="utf-8")
        ran.append((Ran(sum(run.wall for run in runs), sum(run.work for run in runs)), handed))
    return Cost(ran[1][0], _start(*ran), ran[1][1])


def _run(command: Sequence[str], folder: Path) -> Ran:
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    path = os.pathsep.join([str(COURSE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PATH": tools, "PYTHONPATH": path}
    begin, worker, before = time.perf_counter(), 0, _work()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said) as process,
    ):
        while process.poll() is None:
            worker = max([worker, *map(peak, _children(process.pid))])
            time.sleep(0.05)
        passed = time.perf_counter() - begin
        said.seek(0)
        if process.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(command)} failed:\n{said.read()}")
    return Ran(passed, _work() - before, worker)


def _work() -> float:
    """Seconds of processors that programs have taken which this one has started."""
    times = os.times()
    return times.children_user + times.children_system


def _children(process: int) -> list[int]:
    """The processes that a process has started; none where the system does not tell."""
    try:
        return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    report(quick="--quick" in sys.argv)
