"""The ledger: every verdict once, found again by what decides it, and never in the way of grading."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from small_course import EXERCISES, SmallCourse, answer_to

from autograder.checks import Outcome, Result, Role, Status, Verdict, Where
from autograder.checks.rendering import as_html, as_text
from autograder.exercises import Answer, Runner, load
from autograder.grading.digests import Key, digest_of_answer, digest_of_exercise, digest_of_grader, kind_of_cluster
from autograder.grading.ledger import FILE, Entry, Ledger, Reading
from autograder.grading.restoring import Note

KEY = Key("answer", "exercise", "grader", "embedded")
STRANGE = "tab\there, \N{SNOWMAN}, \ud800, \x00, <b>, 'quoted', \"twice\"\n"


def verdict(earned: float = 2, status: Status = Status.GRADED, message: str = STRANGE) -> Verdict:
    criteria = (
        Result("exists", Role.GATE, Outcome.PASSED, 0, 0, message),
        Result("colour", Role.CRITERION, Outcome.PARTLY, earned, 2.5, message, "blue", "", Where("a.yaml", 1, 2, "b")),
        Result("leave", Role.GUARD, Outcome.FAILED, -1, 0, message, None, "gone", why="It matters."),
    )
    return Verdict("maps/settings", status, criteria, 2.5)


def entry(student: str = "ada", *, key: Key = KEY, of: Verdict | None = None, task: str = "check") -> Entry:
    return Entry(student, "01-maps", task, key, of or verdict(), f"colour: {STRANGE}", {"name": "web", "size": 3})


def reading(student: str = "ada", *, handed_in: bool = True, seconds: float = 0.25) -> Reading:
    notes = (Note("check", "was changed", is_tampering=True), Note("", STRANGE))
    return Reading(student, "01-maps", "01-maps", handed_in, seconds, notes)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("status", list(Status))
def test_a_verdict_comes_back_as_it_was(tmp_path: Path, status: Status) -> None:
    given = verdict(status=status)
    with Ledger.open(tmp_path) as ledger:
        ledger.add([entry(of=given)])
    with Ledger.open(tmp_path) as ledger:
        (row,) = ledger.rows()
    back = row.entry.verdict
    assert back == given
    assert (as_html(back), as_text(back)) == (as_html(given), as_text(given))
    assert (row.entry.drawn, row.entry.key) == ({"name": "web", "size": 3}, KEY)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_feedback_from_the_ledger_is_that_of_a_judgement(
    course: SmallCourse, runner: Runner, ledger: Ledger, exercise: str
) -> None:
    loaded = load(exercise, course.root / "exercises")
    for text in (answer_to(exercise), answer_to(exercise).replace("blue", "red"), "a: [", "", "kind: Pod"):
        judged = runner.judge(loaded, Answer({"a.yaml": text}))
        key = Key(digest_of_answer("a.yaml", text), digest_of_exercise(loaded), digest_of_grader(), "embedded")
        ledger.add([entry(key=key, of=judged)])
        found = ledger.find(key)
        assert found == judged
        assert as_html(found) == as_html(judged)


def test_what_was_judged_before_is_found_whoever_gave_it(ledger: Ledger) -> None:
    assert ledger.find(KEY) is None
    ledger.add([entry("ada")])
    assert ledger.find(KEY) == verdict()
    for other in (Key("x", *_columns()[1:]), Key("answer", "x", "grader", "embedded"),
                  Key("answer", "exercise", "x", "embedded"), Key("answer", "exercise", "grader", "kind")):  # fmt: skip
        assert ledger.find(other) is None


def _columns() -> tuple[str, str, str, str]:
    return KEY.answer, KEY.exercise, KEY.grader, KEY.cluster


@pytest.mark.parametrize("status", [Status.TIMED_OUT, Status.COULD_NOT_BE_JUDGED, Status.NOT_RUN_THERE])
def test_what_may_come_out_otherwise_is_tried_again(ledger: Ledger, status: Status) -> None:
    ledger.add([entry(of=verdict(status=status))])
    assert ledger.find(KEY) is None
    ledger.add([entry()])
    assert ledger.find(KEY) == verdict()
    assert [row.entry.verdict.status for row in ledger.rows()] == [status, Status.GRADED]


def test_old_verdicts_stay_beside_the_new(ledger: Ledger) -> None:
    mended = Key("answer", "exercise mended", "grader", "embedded")
    ledger.add([entry("ada"), entry("ken"), entry("ada", task="other")])
    ledger.add([entry("ada", key=mended, of=verdict(1))])
    assert [row.entry.verdict.earned for row in ledger.history("ada", "maps/settings")] == [1, 1, 0]
    newest = {row.entry.task: row.entry.key for row in ledger.latest("ada", "01-maps")}
    assert newest == {"check": mended, "other": KEY}
    assert [row.entry.student for row in ledger.rows()] == ["ada", "ken", "ada", "ada"]
    assert [row.number for row in ledger.rows(exercise="maps/settings")] == [1, 2, 3, 4]
    assert list(ledger.rows(assignment="02-other")) == list(ledger.rows(since="9999")) == []


def test_what_is_said_again_is_written_once(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.add([entry("ada")])
    assert len(list(ledger.rows())) == 1
    ledger.add([entry("ada", of=verdict(1))])
    ledger.add([entry("ada")])
    assert [row.entry.verdict.earned for row in ledger.rows()] == [1, 0, 1]


def test_the_last_reading_of_each_notebook_counts(ledger: Ledger) -> None:
    ledger.add([entry()], [reading(), reading("ken")])
    ledger.add([], [reading(seconds=0.5)])
    assert list(ledger.readings("01-maps")) == [reading("ken"), reading(seconds=0.5)]
    assert list(ledger.readings("02-other")) == []


def test_that_nothing_was_handed_in_is_news_only_where_something_was(ledger: Ledger) -> None:
    nothing = reading(handed_in=False, seconds=0)
    for _ in range(2):
        ledger.add([], [nothing])
    assert list(ledger.readings("01-maps")) == []
    ledger.add([entry()], [reading()])
    for _ in range(2):
        ledger.add([], [nothing])
    assert list(ledger.readings("01-maps")) == [nothing]
    count = ledger._database().execute("SELECT count(*) FROM readings").fetchone()
    assert count == (2,)


#: The tables of the first version, as it made them.
FIRST_VERSION = """
CREATE TABLE judgements (
    id INTEGER PRIMARY KEY, exercise TEXT NOT NULL,
    answer_digest TEXT NOT NULL, exercise_digest TEXT NOT NULL, grader_digest TEXT NOT NULL, cluster TEXT NOT NULL,
    status TEXT NOT NULL, verdict TEXT NOT NULL, answer TEXT NOT NULL, drawn TEXT NOT NULL
);
CREATE INDEX judgements_by_key ON judgements (answer_digest, exercise_digest, grader_digest, cluster);
CREATE INDEX judgements_by_exercise ON judgements (exercise);
CREATE TABLE given (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL,
    student TEXT NOT NULL, assignment TEXT NOT NULL, task TEXT NOT NULL,
    judgement INTEGER NOT NULL REFERENCES judgements
);
CREATE INDEX given_by_student ON given (student, assignment, task);
CREATE INDEX given_by_judgement ON given (judgement);
CREATE VIEW verdicts AS
    SELECT given.id AS number, time, student, assignment, task, exercise, answer_digest, exercise_digest,
           grader_digest, cluster, status, verdict, answer, drawn
    FROM given JOIN judgements ON judgements.id = given.judgement;
PRAGMA user_version = 1;
"""


def of_the_first_version(folder: Path) -> list[tuple[object, ...]]:
    """A ledger as the first version wrote it; returns its rows."""
    with closing(sqlite3.connect(folder / FILE)) as database:
        database.executescript(FIRST_VERSION)
        said = json.dumps(verdict().to_json(complete=True))
        row = ("maps/settings", "answer", "exercise", "grader", "embedded", "graded", said, "colour: blue", "{}")
        for number, student in enumerate(("ada", "ken"), 1):
            database.execute("INSERT INTO judgements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *row))
            given = (number, "2026-03-01T10:00:00Z", student, "01-maps", "check", number)
            database.execute("INSERT INTO given VALUES (?, ?, ?, ?, ?, ?)", given)
        database.commit()
    return rows_of(folder)


def rows_of(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / FILE)) as database:
        return [
            row for table in ("judgements", "given", "verdicts") for row in database.execute(f"SELECT * FROM {table}")
        ]


def test_a_ledger_of_the_first_version_loses_nothing(tmp_path: Path) -> None:
    before = of_the_first_version(tmp_path)
    with Ledger.open(tmp_path) as ledger:
        assert [row.entry.student for row in ledger.rows()] == ["ada", "ken"]
        assert ledger.find(KEY) == verdict()
        assert list(ledger.readings("01-maps")) == []
    assert rows_of(tmp_path) == before
    with Ledger.open(tmp_path) as ledger:
        ledger.add([], [reading(handed_in=False)])  # ada's work is gone, of which only the verdicts tell
        assert [one.student for one in ledger.readings("01-maps")] == ["ada"]
        assert not ledger.trouble


def test_a_new_version_is_made_by_whoever_comes_first(tmp_path: Path) -> None:
    before = of_the_first_version(tmp_path)
    said = io.StringIO()

    def opened(_: int) -> str:
        with Ledger.open(tmp_path, said) as ledger:
            return ledger.trouble

    with ThreadPoolExecutor(8) as pool:
        troubles = list(pool.map(opened, range(8)))
    assert (troubles, said.getvalue(), rows_of(tmp_path)) == ([""] * 8, "", before)


def write_some(folder: str, name: str) -> str:
    with Ledger.open(Path(folder)) as ledger:
        for number in range(20):
            ledger.add([entry(f"{name}-{number}")], [reading(f"{name}-{number}")])
    return ledger.trouble


def test_several_programs_may_write_at_once(tmp_path: Path) -> None:
    program = "import sys; sys.path[:0] = sys.argv[3:]; import test_ledger as t; print(t.write_some(*sys.argv[1:3]))"
    places = [str(Path(__file__).parent), *sys.path]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), name, *places], stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two", "three")
    ]
    assert [process.communicate()[0].strip() for process in running] == ["", "", ""]
    with Ledger.open(tmp_path) as ledger:
        assert len(list(ledger.rows())) == len(list(ledger.readings("01-maps"))) == 60


def test_what_was_written_survives_a_killed_program(tmp_path: Path) -> None:
    program = (
        "import sys, time; sys.path[:0] = sys.argv[2:]; from pathlib import Path; import test_ledger as t\n"
        "ledger = t.Ledger.open(Path(sys.argv[1])); number = 0\n"
        "while True:\n"
        "    ledger.add([t.entry(f'{number}-{part}') for part in range(3)]); number += 1; print(number, flush=True)\n"
    )
    places = [str(Path(__file__).parent), *sys.path]
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path), *places], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 20:
            pass
        process.send_signal(signal.SIGKILL)
    with Ledger.open(tmp_path) as ledger:
        students = [row.entry.student for row in ledger.rows()]
        ledger.add([entry("and on")])
    assert len(students) >= 60
    assert len(students) % 3 == 0  # whole transactions only
    assert not ledger.trouble


def spoil_not_a_database(path: Path) -> None:
    path.write_bytes(b"no database " * 1000)


def spoil_overwritten(path: Path) -> None:
    with Ledger.open(path.parent) as ledger:
        ledger.add([entry(str(number)) for number in range(200)])
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def spoil_folder(path: Path) -> None:
    path.mkdir()


def spoil_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


def spoil_nowhere(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


@pytest.mark.parametrize(
    "spoil",
    [spoil_not_a_database, spoil_overwritten, spoil_folder, spoil_newer, spoil_nowhere],
    ids=lambda one: one.__name__,
)
def test_a_file_that_cannot_be_used_is_told_once_and_costs_nothing(tmp_path: Path, spoil: object) -> None:
    spoil(tmp_path / FILE)  # type: ignore[operator]
    said = io.StringIO()
    with Ledger.open(tmp_path, said) as ledger:
        ledger.add([entry()])
        ledger.add([entry()])
        assert (ledger.find(KEY), ledger.latest("ada", "01-maps"), list(ledger.rows())) == (None, [], [])
    assert ledger.trouble
    assert said.getvalue().count("\n") == 1
    assert "no verdict is remembered" in said.getvalue()


def test_a_locked_file_is_told_and_not_waited_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.grading.ledger.PATIENCE", 0.1)
    said = io.StringIO()
    with (
        Ledger.open(tmp_path, said) as ledger,
        closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        for _ in range(1000):
            ledger.add([entry()])
        assert time.monotonic() - begin < 50  # waiting each time takes 100 seconds
        other.execute("ROLLBACK")
    assert "locked" in said.getvalue()
    assert said.getvalue().count("\n") == 1


def test_a_full_disk(tmp_path: Path) -> None:
    said = io.StringIO()
    with Ledger.open(tmp_path, said) as ledger:
        ledger._database().execute("PRAGMA max_page_count = 12")
        for number in range(500):
            ledger.add([entry(str(number))])
    assert "full" in said.getvalue()
    assert said.getvalue().count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder(tmp_path: Path) -> None:
    said = io.StringIO()
    tmp_path.chmod(0o500)
    with Ledger.open(tmp_path, said) as ledger:
        ledger.add([entry()])
    tmp_path.chmod(0o700)
    assert "no verdict is remembered" in said.getvalue()


def test_what_decides_a_verdict(course: SmallCourse) -> None:
    folder = course.root / "exercises" / EXERCISES[0]

    def digest() -> str:
        return digest_of_exercise(load(EXERCISES[0], course.root / "exercises"))

    before = digest()
    (folder / "hints.md").write_text("Another hint.\n")
    (folder / "mutants").mkdir()
    (folder / "mutants" / "wrong.yaml").write_text("# mutant: exists\nkind: Pod\n")
    task = (folder / "task.md").read_text()
    (folder / "task.md").write_text(task.replace("minutes: 5", "minutes: 6") + "\nA sentence more.\n")
    assert digest() == before
    (folder / "task.md").write_text(task.replace("minutes: 5", "minutes: 5\nnamespaces: [dev]"))
    other_namespace = digest()
    (folder / "task.md").write_text(task)
    (folder / "checks.py").write_text((folder / "checks.py").read_text() + "\n")
    other_checks = digest()
    (folder / "setup.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: dev}\n")
    assert len({before, other_namespace, other_checks, digest()}) == 4


def test_values_that_were_drawn_decide_too(course: SmallCourse) -> None:
    exercise = load(EXERCISES[0], course.root / "exercises")
    drawn = [digest_of_exercise(exercise.with_values({"name": name})) for name in ("a", "b", "a")]
    assert drawn[0] == drawn[2] != drawn[1]


def test_where_the_parts_of_an_answer_end_counts() -> None:
    assert len({digest_of_answer(*parts) for parts in [("a", "bc"), ("ab", "c"), ("", "abc"), ("abc", "")]}) == 4


@pytest.mark.parametrize(
    ("spec", "kind"), [("embedded", "embedded"), ("kind:one", "kind"), ("kubeconfig:/a/b#c", "kubeconfig")]
)
def test_kinds_of_clusters(spec: str, kind: str) -> None:
    assert kind_of_cluster(spec) == kind
