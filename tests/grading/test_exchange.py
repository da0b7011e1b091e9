"""Collecting from a folder that every student can write in."""

from __future__ import annotations

import logging
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.grading import exchange
from autograder.grading.exchange import CarefulCollect

ME = pwd.getpwuid(os.geteuid()).pw_name
EARLY, LATE = "2099-03-01 10:00:00.000000 UTC", "2099-03-02 10:00:00.000000 UTC"


class Host:
    """An exchange, and a course whose solutions only the instructor reads."""

    def __init__(self, folder: Path, gradebook: str) -> None:
        self.gradebook = gradebook
        self.inbound = folder / "exchange" / "kubernetes" / "inbound"
        self.course = folder / "course"
        self.inbound.mkdir(parents=True)
        self.inbound.parents[1].chmod(0o777)
        self.course.mkdir()
        self.solution = self.course / "solution.ipynb"
        self.solution.write_text("the solution")

    def hand_in(self, text: str = "an answer", *, student: str = ME, time: str = EARLY, name: str = "") -> Path:
        """A submission as ``nbgrader submit`` leaves it there."""
        folder = self.inbound / (name or f"{student}+07-pods+{time}+kLx8")
        folder.mkdir()
        (folder / "07-pods.ipynb").write_text(text)
        (folder / "timestamp.txt").write_text(time)
        (folder / "submission_secret.txt").write_text("secret of the student")
        return folder

    def collect(self, *, update: bool = False, **settings: object) -> dict[str, str]:
        """What lies in the course afterwards."""
        config = Config()
        config.Exchange.root = str(self.inbound.parents[1])
        config.CourseDirectory.update(
            root=str(self.course), course_id="kubernetes", assignment_id="07-pods",
            db_url=self.gradebook, **settings,
        )  # fmt: skip
        app = CarefulCollect(coursedir=CourseDirectory(config=config), config=config)
        app.update = update
        app.start()
        submitted = self.course / "submitted"
        return {str(path.relative_to(submitted)): path.read_text() for path in submitted.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty one; making it takes longer than collecting."""
    url = f"sqlite:///{tmp_path_factory.mktemp('gradebook') / 'gradebook.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        with Gradebook(url, "kubernetes"):
            return url


@pytest.fixture
def host(tmp_path: Path, gradebook: str) -> Host:
    return Host(tmp_path, gradebook)


def test_the_latest_submission_of_a_student_is_collected(host: Host) -> None:
    host.hand_in("first")
    host.hand_in("second", time=LATE)
    assert host.collect() == {
        f"{ME}/07-pods/07-pods.ipynb": "second",
        f"{ME}/07-pods/timestamp.txt": LATE,
        f"{ME}/07-pods/submission_secret.txt": "secret of the student",
    }


def test_an_earlier_one_is_replaced_if_asked(host: Host) -> None:
    host.hand_in("first")
    host.collect()
    host.hand_in("second", time=LATE)
    assert host.collect()[f"{ME}/07-pods/07-pods.ipynb"] == "first"
    assert host.collect(update=True)[f"{ME}/07-pods/07-pods.ipynb"] == "second"


def test_nobody_hands_in_for_somebody_else(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.hand_in("mine")
    host.hand_in("in the name of ada", student="ada", time=LATE)
    with caplog.at_level(logging.WARNING):
        assert {name.split("/")[0] for name in host.collect()} == {ME}
    assert f"is not collected: it belongs to the account {ME}" in caplog.text


def test_a_solution_is_not_handed_in_by_a_link_to_it(host: Host) -> None:
    folder = host.hand_in()
    (folder / "07-pods.ipynb").unlink()
    (folder / "07-pods.ipynb").symlink_to(host.solution)
    (folder / "all").symlink_to(host.course)
    assert "the solution" not in host.collect().values()


def test_a_folder_elsewhere_is_not_handed_in_by_a_link_to_it(host: Host) -> None:
    (host.inbound / f"{ME}+07-pods+{EARLY}+kLx8").symlink_to(host.course)
    (host.course / "submitted").mkdir()
    assert host.collect() == {}


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "a-pipe")


def closed(folder: Path) -> None:
    (folder / "closed").write_text("x")
    (folder / "closed").chmod(0)


def large(folder: Path) -> None:
    (folder / "large").write_bytes(b"x" * 5_000)


def many(folder: Path) -> None:
    for number in range(exchange.FILES + 10):
        (folder / f"zz{number}").touch()


def deep(folder: Path) -> None:
    """A file whose path is longer than the system takes, in folders made one inside the other."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=at)
        above, at = at, os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        os.close(above)
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=at))
    os.close(at)


def empty(folder: Path) -> None:
    for number in range(exchange.FILES + 10):
        (folder / f"zz{number}").mkdir()


def nonsense(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("yesterday\n\x00")


def bare(folder: Path) -> None:
    (folder / "timestamp.txt").unlink()
    (folder / "submission_secret.txt").unlink()


@pytest.mark.parametrize("change", [pipe, closed, large, many, deep, empty, nonsense, bare])
def test_what_cannot_be_taken_is_left_out_and_the_rest_is_taken(host: Host, change: Callable[[Path], None]) -> None:
    change(host.hand_in())
    found = host.collect(max_file_size=1)
    assert found[f"{ME}/07-pods/07-pods.ipynb"] == "an answer"
    assert found[f"{ME}/07-pods/timestamp.txt"] == EARLY
    assert found[f"{ME}/07-pods/submission_secret.txt"]
    assert host.collect(update=True) == found


@pytest.mark.parametrize("name", [f"{ME}+07-pods+", f"{ME}+07-pods+never+x", f"{ME}+07-pods+{'9' * 40}+x"])
def test_a_name_that_says_no_time_stops_nobody(host: Host, name: str) -> None:
    host.hand_in()
    host.hand_in("nonsense", name=name)
    assert host.collect()[f"{ME}/07-pods/07-pods.ipynb"] == "an answer"


def test_a_submission_that_is_too_large_loses_what_is_too_much(host: Host) -> None:
    folder = host.hand_in()
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(b"x" * 700)
    assert {Path(name).name for name in host.collect(max_dir_size=1)} >= {"a", "timestamp.txt"}
    assert "b" not in {Path(name).name for name in host.collect()}


def test_what_the_course_ignores_is_ignored(host: Host) -> None:
    folder = host.hand_in()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.py").touch()
    (folder / "notes.txt").touch()
    assert not {name for name in host.collect(ignore=["__pycache__", "notes*"]) if "x.py" in name or "notes" in name}


def test_a_time_that_was_made_up_is_remarked_upon(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.hand_in(time="2020-01-01 10:00:00.000000 UTC")
    with caplog.at_level(logging.WARNING):
        host.collect()
    assert "was still changed at" in caplog.text
