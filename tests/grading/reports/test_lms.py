"""Grades for Canvas and Moodle, by the rules of their importers."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from generated_class import made_up, with_names

from autograder.grading.reports.lms import BadWorksheet, canvas, moodle, waiting, worksheet
from autograder.grading.reports.results import Recorded, Results

WORKSHEET = (
    "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\r\n"
    'Participant 41,"Ada, L.",s0000@example.org,Submitted,,16.00,Yes,-,-,\r\n'
    "Participant 42,Somebody,else@example.org,Submitted,3.00,16.00,Yes,-,-,good\r\n"
)


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up(30)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_canvas_finds_its_columns_and_its_row_of_points(results: Results) -> None:
    head, points, *rows = read(canvas(results))
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "07-pods", "12-resourcequotas"]
    assert "Points Possible" in points[0] and points[5:] == ["16", "8"]
    student = results.students[0]
    assert rows[0][:5] == [f"{student.last_name}, {student.first_name}", student.lms_id, "", student.id, ""]
    assert len(rows) == len(results.students)


def test_a_grade_is_left_empty_while_an_answer_waits(results: Results) -> None:
    grades = {row[3]: row[5] for row in read(canvas(results))[2:]}
    for submission in results.of("07-pods"):
        settled = submission.handed_in and {one.status for one in submission.exercises} <= {"graded", "not submitted"}
        assert grades[submission.student] == (
            f"{submission.earned:g}" if settled and submission.earned is not None else ""
        )
    assert waiting(results)


def test_nobodys_name_makes_the_row_of_points() -> None:
    rows = read(canvas(with_names(made_up(3), "Points Possible")))
    assert ["Points Possible" in row[0] for row in rows] == [False, True, False, False, False]


def test_an_id_of_another_system_is_no_id_of_canvas(results: Results) -> None:
    changed = replace(results, students=tuple(replace(one, lms_id="ldap:7") for one in results.students))
    assert {row[1] for row in read(canvas(changed))[2:]} == {""}


def test_moodle_gets_numbers_or_a_dash_and_a_feedback(results: Results) -> None:
    head, *rows = read(moodle(results))
    assert head == [
        "Username", "Email address", "First name", "Last name", "07-pods", "07-pods feedback", "12-resourcequotas",
        "12-resourcequotas feedback",
    ]  # fmt: skip
    for row in rows:
        assert row[4] == "-" or 0 <= float(row[4]) <= 16
        assert "pods/first-pod: " in row[5]
    assert "-" in {row[4] for row in rows}


def test_a_worksheet_of_moodle_is_filled_in_and_else_left_as_it_was(results: Results) -> None:
    filled, left = worksheet(results, "07-pods", WORKSHEET)
    head, ada, other = read(filled)
    grade = next(one.grade for one in results.of("07-pods") if one.student == "s0000")
    assert head[0] == "Identifier"
    assert ada[:4] == ["Participant 41", "Ada, L.", "s0000@example.org", "Submitted"]
    assert grade is not None and ada[4] == f"{grade:g}" and "pods/first-pod" in ada[9]
    assert other == [
        "Participant 42",
        "Somebody",
        "else@example.org",
        "Submitted",
        "3.00",
        "16.00",
        "Yes",
        "-",
        "-",
        "good",
    ]
    assert "s0000" not in left and "s0001" in left


@pytest.mark.parametrize(
    ("recorded", "grade"),
    [
        (Recorded(5.5, 16, 1, 0), 4.5),
        (Recorded(2, 16, 3, 0), 0),
        (Recorded(5, 16, 0, 1), None),
    ],
)
def test_scores_by_hand_and_late_penalties_count(results: Results, recorded: Recorded, grade: float | None) -> None:
    judged = next(one for one in results.submissions if one.earned is not None)
    assert replace(judged, recorded=recorded).grade == grade


def test_a_score_by_hand_ends_the_waiting(results: Results) -> None:
    unreadable = next(one for one in results.submissions if one.status == "unreadable")
    assert unreadable.grade is None
    assert replace(unreadable, recorded=Recorded(0, 16, 0, 4)).grade is None
    assert replace(unreadable, recorded=Recorded(12, 16, 0, 0)).grade == 12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Name,Grade\n", "no column Identifier, Last modified"),
        ("Identifier,Grade,Last modified (grade)\n", "none of the columns Email address"),
    ],
)
def test_what_is_no_worksheet(results: Results, text: str, said: str) -> None:
    with pytest.raises(BadWorksheet, match=said):
        worksheet(results, "07-pods", text)
