"""A full disk, a gradebook that is locked or read-only, a grader that is killed: nothing is lost, nothing is half done.

Each grader runs in a child that is forked from this process, where everything is loaded already.
"""

from __future__ import annotations

import ctypes
import os
import random
import resource
import signal
import sqlite3
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import hostile_course
import pytest
from hostile_course import notebook
from small_course import ASSIGNMENT, NOTEBOOK, SmallCourse
from waiting import comes

from autograder.cli import main
from autograder.grading import autograded, gradebook

pytestmark = [
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system"),
]

STUDENTS = ("ada", "dennis", "grace", "ken", "linus")
SEED = 20260301
Result = dict[str, list[tuple[str, float | None, bool]]]


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    """A course with a small class."""
    course = hostile_course.build(tmp_path / "course")
    for student in STUDENTS:
        course.hand_in(student, b"{" if student == "dennis" else notebook(settings=f"# {student}\nkind: [\n"))
    return course


class Grader:
    """``autograder grade`` in a child of this process."""

    def __init__(self, course: SmallCourse, prepare: Callable[[], object] = lambda: None) -> None:
        self.course, self.output = course, course.root.parent / "output.txt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.process = os.fork()
        if self.process == 0:
            code = 70
            try:
                os.setsid()
                file = os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(file, 1)
                os.dup2(file, 2)
                os.environ["TMPDIR"] = tempfile.tempdir = str(course.root.parent)
                prepare()
                with open(1, "w", closefd=False) as out, open(2, "w", closefd=False) as err:
                    sys.stdout, sys.stderr = out, err
                    code = main(["grade", "--course", str(course.root), "--workers", "2"])
            except BaseException as error:
                os.write(2, f"Traceback {error!r}".encode())
            finally:
                os._exit(code)

    def wait(self) -> int:
        """Its exit code; negative if a signal ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def kill(self) -> int:
        """End it at once, and wait for its workers."""
        os.kill(self.process, signal.SIGKILL)
        code = self.wait()
        assert comes(lambda: not _is_there(self.process)), "a worker outlives the grader"
        return code

    @property
    def said(self) -> str:
        return self.output.read_text()


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def result(course: SmallCourse) -> Result:
    """What a run leaves behind: scores by student, from a gradebook that is whole, and notebooks that can be read."""
    found: Result = {}
    if (course.root / "gradebook.db").exists():
        with closing(sqlite3.connect(course.root / "gradebook.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'grade'").fetchone() == (0,):
                return found
            query = """
                SELECT submission.student_id, base_cell.name, grade.auto_score, grade.needs_manual_grade FROM grade
                JOIN base_cell ON base_cell.id = grade.cell_id
                JOIN submitted_notebook AS notebook ON notebook.id = grade.notebook_id
                JOIN submitted_assignment AS submission ON submission.id = notebook.assignment_id
                ORDER BY submission.student_id, base_cell.name
            """
            for student, *row in database.execute(query):
                found.setdefault(student, []).append(tuple(row))
    return found


def pages(course: SmallCourse) -> dict[str, bytes]:
    return {path.parts[-3]: path.read_bytes() for path in (course.root / "autograded").rglob("*.ipynb")}


def scores(found: Result) -> dict[str, list[float | None]]:
    return {student: [score for _, score, _ in rows] for student, rows in found.items()}


#: By check cell in the order of names: by-command, limits, settings, worker.
EXPECTED = {
    student: [None, None, None, None] if student == "dennis" else [3, 3, None, 3] for student in STUDENTS
}  # fmt: skip


def test_an_undisturbed_run(course: SmallCourse) -> None:
    grader = Grader(course)
    assert grader.wait() == 1, grader.said
    assert scores(result(course)) == EXPECTED


def test_a_grader_that_is_killed_loses_nothing_and_harms_nothing(course: SmallCourse, tmp_path: Path) -> None:
    begin = time.monotonic()
    assert Grader(course).wait() == 1
    whole, expected = pages(course), result(course)
    seconds = time.monotonic() - begin
    dice = random.Random(SEED)
    before: Result = expected
    for round_ in range(10):
        if round_ == 5:  # from here on there is a new gradebook to be made
            for path in [*course.root.glob("*.db*"), *(course.root / "autograded").rglob("*.ipynb")]:
                path.unlink()
            before = {}
        grader = Grader(course)
        time.sleep(dice.uniform(0.02, 1.1) * seconds)
        assert grader.kill() in (-signal.SIGKILL, 1)
        after = result(course)
        assert after in (before, expected)
        before = after
        for student, page in pages(course).items():
            assert page == whole[student]
    assert Grader(course).wait() == 1
    assert result(course) == expected
    assert pages(course) == whole
    assert {path.suffix for path in (course.root / "autograded").rglob("*") if path.is_file()} == {".ipynb"}
    assert not [
        path for place in (course.root.parent, course.root / "autograded") for path in place.glob("autograder-*")
    ]


def test_workers_whose_grader_is_killed_take_their_files_along(course: SmallCourse) -> None:
    grader = Grader(course)
    assert comes(lambda: any(course.root.parent.glob("autograder-*/*/*/kubeconfig")), look=0.005)
    assert grader.kill() == -signal.SIGKILL
    assert [path for path in course.root.parent.rglob("autograder-*/**/*") if path.is_file()] == []


@pytest.mark.parametrize("size", [0, 1, 3000, 20_000, 100_000, 200_000])
def test_files_that_cannot_grow(course: SmallCourse, size: int) -> None:
    """As on a full disk, every write beyond some size fails, wherever it is."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    grader = Grader(course, limit)
    code = grader.wait()
    assert code in (1, 2), grader.said
    assert "Traceback" not in grader.said
    assert scores(result(course)) in ({}, EXPECTED)
    assert Grader(course).wait() == 1
    assert scores(result(course)) == EXPECTED
    assert sorted(pages(course)) == sorted(STUDENTS)


def full(*given: object, **options: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("module", "name"),
    [(autograded, "_replace"), (gradebook, "_record_scores"), (gradebook, "_record_submission"), (Path, "replace")],
)
def test_a_full_disk_at_each_write(course: SmallCourse, module: object, name: str) -> None:
    assert Grader(course).wait() == 1
    expected, whole = result(course), pages(course)
    course.hand_in("ada", notebook())
    grader = Grader(course, lambda: setattr(module, name, full))
    assert grader.wait() == 2, grader.said
    assert "No space left on device" in grader.said
    assert "Traceback" not in grader.said
    assert result(course).keys() == expected.keys()
    for student, page in pages(course).items():
        assert page == whole[student] or student == "ada"
    assert Grader(course).wait() == 1
    assert scores(result(course)) == {**EXPECTED, "ada": [3, 3, 3, 3]}
    assert not list((course.root / "autograded").glob("autograder-*"))


def test_output_that_nobody_can_take(course: SmallCourse) -> None:
    def to_a_full_device() -> None:
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)

    grader = Grader(course, to_a_full_device)
    assert grader.wait() in (1, 2)
    assert Grader(course).wait() == 1
    assert scores(result(course)) == EXPECTED


def test_a_gradebook_that_somebody_else_writes(course: SmallCourse) -> None:
    assert Grader(course).wait() == 1
    expected = result(course)
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text().replace("timeout=60", "timeout=0.2"))
    with closing(sqlite3.connect(course.root / "gradebook.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        grader = Grader(course)
        assert grader.wait() == 2
    assert "another program is using it" in grader.said
    assert "Traceback" not in grader.said
    assert result(course) == expected
    assert Grader(course).wait() == 1


def test_a_gradebook_in_a_place_that_may_not_be_written(course: SmallCourse) -> None:
    config = course.root / "nbgrader_config.py"
    locked = course.root.parent / "locked"
    locked.mkdir()
    (locked / "gradebook.db").mkdir()
    config.write_text(config.read_text().replace("course / 'gradebook.db'", f"'{locked}/gradebook.db'"))
    grader = Grader(course)
    assert grader.wait() == 2, grader.said
    assert "gradebook.db could not be written" in grader.said
    assert "Traceback" not in grader.said


def without_privileges() -> None:
    """Whoever may write everything becomes somebody for whom the modes of files count."""
    if os.getuid() == 0:
        header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        assert ctypes.CDLL(None).capset(header, nothing) == 0


@pytest.mark.parametrize("mode", [0o444, 0])
def test_a_gradebook_that_may_only_be_read(course: SmallCourse, mode: int) -> None:
    assert Grader(course).wait() == 1
    expected = result(course)
    course.hand_in("ada", notebook(limits="kind: ["))
    (course.root / "gradebook.db").chmod(mode)
    course.root.chmod(0o555)
    grader = Grader(course, without_privileges)
    code = grader.wait()
    course.root.chmod(0o755)
    (course.root / "gradebook.db").chmod(0o644)
    assert code == 2, grader.said
    assert "gradebook.db could not be written" in grader.said
    assert "Traceback" not in grader.said
    assert result(course) == expected


def test_a_folder_of_graded_notebooks_in_the_way(course: SmallCourse) -> None:
    page = course.root / "autograded" / "ada" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    page.mkdir(parents=True)
    grader = Grader(course)
    assert grader.wait() == 2
    assert "Traceback" not in grader.said
    assert scores(result(course)) == EXPECTED
    page.rmdir()
    assert Grader(course).wait() == 1
    assert sorted(pages(course)) == sorted(STUDENTS)
