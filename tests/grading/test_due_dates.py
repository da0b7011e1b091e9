"""Due dates, extensions and penalties are the same whichever command grades."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from by_hand import forget, grade, opened, penalties, run
from small_course import ASSIGNMENT, EXERCISES, SmallCourse, answer_to, submitted_notebook

from autograder.exercises import Runner
from autograder.grading.assignment import BadCourse
from autograder.grading.due_dates import FILE, moment, read_extensions, submitted_at

FIRST, SECOND = EXERCISES
DUE = "2026-03-01 12:00 UTC"
PLUGIN = "autograder.grading.late_penalty.PercentPerDay"
PENALTY = "c.AssignLatePenalties.plugin_class = {!r}"
OWN = """
from nbgrader.plugins import LateSubmissionPlugin


class {name}(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {value}
"""


def late_class(course: SmallCourse) -> None:
    """Students who hand in right and partly right answers, in time, late, and with an extension."""
    partly = submitted_notebook({FIRST: answer_to(FIRST).replace("blue", "red"), SECOND: ""})
    for student, content, time in (
        ("ada", None, "2026-03-01 11:59:59 UTC"),
        ("grace", None, "2026-03-02 12:00:01 UTC"),
        ("ken", partly, "2026-03-01 12:00:01 UTC"),
        ("linus", None, "2026-03-03 10:00:00 Europe/Berlin"),
        ("zoe", b"{", "2026-03-09 12:00:00 UTC"),
    ):
        course.hand_in(student, content).with_name("timestamp.txt").write_text(time)
    (course.root / FILE).write_text(f"student,assignment,due\nlinus, {ASSIGNMENT}, 2026-03-03 10:00 Europe/Berlin\n")


def configure(course: SmallCourse, *lines: str) -> None:
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write("\n" + "\n".join(lines) + "\n")


def set_due(course: SmallCourse) -> None:
    with opened(course) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate=DUE)


@pytest.mark.usefixtures("settled", "warm")
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], {"ada": 0, "grace": 0, "ken": 0, "linus": 0, "zoe": 0}),
        ([PENALTY.format(PLUGIN)], {"ada": 0, "grace": 1.2, "ken": 0.2, "linus": 0, "zoe": 0}),
        (["c.LateSubmissionPlugin.penalty_method = 'zero'"], {"ada": 0, "grace": 6, "ken": 2, "linus": 0, "zoe": 0}),
        ([PENALTY.format("own_late.Own")], {"ada": 0, "grace": 5, "ken": 2, "linus": 0, "zoe": 0}),
    ],
    ids=["none", "percent", "zero", "of the course"],
)  # fmt: skip
def test_penalties_by_hand_as_by_command(
    course: SmallCourse, runner: Runner, lines: list[str], expected: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    (course.root / "own_late.py").write_text(OWN.format(name="Own", value=5))
    configure(course, *lines)
    late_class(course)
    forget(course)
    set_due(course)
    grade(course, runner)
    ours = penalties(course)
    assert {student: penalty for student, (_, penalty, _) in ours.items()} == pytest.approx(expected)
    assert ours["grace"][2] == 24 * 3600 + 1
    forget(course)
    set_due(course)
    monkeypatch.syspath_prepend(course.root)  # as nbgrader's command line does
    run(course, "GenerateAssignment")
    run(course, "Autograde", force=True)
    assert penalties(course) == ours


@pytest.mark.usefixtures("settled")
def test_a_penalty_goes_when_its_reason_goes(course: SmallCourse, runner: Runner) -> None:
    configure(course, PENALTY.format(PLUGIN))
    late_class(course)
    forget(course)
    set_due(course)
    grade(course, runner)
    assert penalties(course)["grace"][1] > 0
    (course.root / FILE).write_text(f"student,assignment,due\ngrace,{ASSIGNMENT},2026-03-04 00:00\n")
    grade(course, runner)
    after = penalties(course)
    assert after["grace"] == (6, 0, 0)
    assert after["linus"][2] > 0  # whose line in the file is gone


@pytest.mark.usefixtures("settled")
def test_extensions_that_a_person_gave_stay_where_there_is_no_file(course: SmallCourse, runner: Runner) -> None:
    late_class(course)
    (course.root / FILE).unlink()
    forget(course)
    set_due(course)
    grade(course, runner)
    with opened(course) as book:
        book.grant_extension(ASSIGNMENT, "grace", days=3)
    grade(course, runner)
    with opened(course) as book:
        assert book.find_submission(ASSIGNMENT, "grace").extension == datetime.timedelta(days=3)


@pytest.mark.usefixtures("settled")
def test_without_a_due_date_nobody_is_late(course: SmallCourse, runner: Runner) -> None:
    configure(course, "c.LateSubmissionPlugin.penalty_method = 'zero'")
    late_class(course)
    grade(course, runner)
    assert {(penalty, late) for _, penalty, late in penalties(course).values()} == {(0, 0)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,due\n", r"extensions.csv:1: the first line must be student,assignment,due"),
        ("student,assignment,due\n,01-maps,2026-03-01 12:00\n", r":2: a student and an assignment"),
        ("student,assignment,due\nada,01-maps,tomorrow\n", r":2: 'tomorrow' is no time"),
        ("student,assignment,due\nada,01-maps\n", r":2: '' is no time"),
        ("student,assignment,due\nada,x,2026-03-01 12:00\nada,x,2026-03-02 12:00\n", r":3: ada has an extension"),
        ("\xff", r"cannot be read"),
    ],
)
def test_a_file_of_extensions_that_makes_no_sense(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(BadCourse, match=said):
        read_extensions(tmp_path)


def test_slips_of_the_pen_in_extensions(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("student,assignment,due\nadda,01-maps,2026-03-01 12:00\nada,1-maps,2026-03-01 12:00\n")
    extensions = read_extensions(tmp_path)
    assert extensions is not None
    assert list(extensions.strangers({"ada"}, {"01-maps"})) == [
        "extensions.csv: nobody is called adda",
        "extensions.csv: no assignment is called 1-maps",
    ]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ("own_bad.Broken", "failed for grace"),
        ("own_bad.Missing", "cannot be used"),
        ("no.such.Plugin", "cannot be used"),
    ],
)
def test_a_plugin_that_fails_is_named(course: SmallCourse, runner: Runner, plugin: str, said: str) -> None:
    (course.root / "own_bad.py").write_text(OWN.format(name="Broken", value="1 / 0"))
    configure(course, PENALTY.format(plugin))
    late_class(course)
    forget(course)
    set_due(course)
    with pytest.raises(BadCourse, match=said):
        grade(course, runner)
    assert penalties(course) == {}


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-12 23:59 Europe/Berlin", "2026-03-12 22:59:00"),
        ("2026-03-12 23:59", "2026-03-12 23:59:00"),
        ("2026-03-12 23:59:01.5 UTC", "2026-03-12 23:59:01.500000"),
        ("2026-03-12T23:59:00+02:00", "2026-03-12 21:59:00"),
        ("2026-03-12 23:59:00 -0100", "2026-03-13 00:59:00"),
        ("2026-03-12", "None"),
        ("2026-13-12 23:59", "None"),
        ("2026-03-12 23:59 Mars/Olympus", "None"),
        ("2026-03-12 23:59 /etc/passwd", "None"),
        ("2026-03-12 23:59 ../../passwd", "None"),
        ("0001-01-01 00:00 +05:00", "None"),
        ("9" * 100, "None"),
    ],
)
def test_times(text: str, utc: str) -> None:
    assert str(moment(text)) == utc


def test_the_time_of_a_submission_is_read_from_a_small_plain_file(tmp_path: Path) -> None:
    assert submitted_at(tmp_path) is None
    path = tmp_path / "timestamp.txt"
    path.write_text("2026-03-12 23:59:00 UTC" + " " * 1000)
    assert submitted_at(tmp_path) is None
    path.write_text("2026-03-12 23:59:00 UTC\n")
    assert submitted_at(tmp_path) is not None
    path.rename(tmp_path / "other.txt")
    path.symlink_to(tmp_path / "other.txt")
    assert submitted_at(tmp_path) is None
