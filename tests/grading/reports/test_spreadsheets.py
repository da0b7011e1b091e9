"""CSV files: quoted, free of formulas, a column for each exercise and criterion, empty where nothing was judged."""

from __future__ import annotations

import csv
import io

import pytest
from generated_class import made_up, with_answer, with_names

from autograder.grading.reports.similarity import similar
from autograder.grading.reports.spreadsheets import cell, criteria, csv_text, grades, similarities


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", '"=1', "'=1", "“=1", "\u00a0=1",
        "＝1", "＋1", "－1",
        '=cmd|"/c calc"!A1', "=HYPERLINK(\"http://evil\")", "-2+3+cmd|' /C calc'!A0",
    ],
)  # fmt: skip
def test_no_text_is_a_formula(formula: str) -> None:
    shown = cell(formula)
    assert shown.startswith("'")
    assert shown.lstrip("'").strip() == " ".join(formula.split()).lstrip("'").strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (2, "2"), (2.5, "2.5"), (-1, "-1"), (0, "0"), ("nginx:1.27", "nginx:1.27"), ("a=b", "a=b"), ("", "")],
)
def test_numbers_and_plain_texts_stay(value: str | float | None, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize("text", ["a;=1+1;b", 'a; "=1', "a;\t@SUM(A1)", "nginx;＝1"])
def test_no_part_of_a_text_is_a_formula_where_cells_end_at_semicolons(text: str) -> None:
    assert not any(part.strip(' \t"').startswith(("=", "@", "＝")) for part in cell(text).split(";"))


def test_everything_is_quoted() -> None:
    assert csv_text([["Smith, Jr.", 'say "hi"', 3, None]]) == '"Smith, Jr.","say ""hi""","3",""\r\n'


def test_a_row_for_each_student_and_a_column_for_each_criterion() -> None:
    results = made_up(20)
    found = rows(grades(results))
    assert [row["student"] for row in found] == [student.id for student in results.students]
    columns = set(found[0])
    for exercise in results.exercises:
        assignment = next(one.name for one in results.assignments if exercise.id in one.exercises)
        assert f"{assignment} {exercise.id}" in columns
        assert {f"{assignment} {exercise.id} {check.name}" for check in exercise.checks} <= columns
    for submission in results.submissions:
        row = next(row for row in found if row["student"] == submission.student)
        assert row[f"{submission.assignment} status"] == submission.status
        for answer in submission.exercises:
            name = f"{submission.assignment} {answer.exercise}"
            assert row[f"{name} status"] == answer.status
            assert row[name] == ("" if answer.earned is None else f"{answer.earned:g}")
            if answer.earned is None:
                assert row[f"{name} image"] == row[f"{name} exists"] == ""
            else:
                assert row[f"{name} exists"] in ("passed", "failed")
                assert float(row[f"{name} image"]) in (0, 1)


def test_the_totals_are_those_of_what_was_judged() -> None:
    results = made_up(30)
    for row in rows(grades(results)):
        earned = [one.earned for one in results.by_student[row["student"]] if one.earned is not None]
        assert row["total"] == (f"{sum(earned):g}" if earned else "")


def test_every_criterion_with_all_that_was_said() -> None:
    results = with_answer(made_up(3), "a: 1\n", found="=cmd()", wanted="+1")
    row = next(row for row in rows(criteria(results)) if row["found"] == "'=cmd()")
    assert (row["criterion"], row["outcome"], row["wanted"], row["file"], row["line"]) == (
        "image", "failed", "'+1", "a.yaml", "1",
    )  # fmt: skip


def test_names_do_not_move_the_columns() -> None:
    results = with_names(made_up(3), 'Smith, Jr. "X"', "=cmd()", "a\nb\x00")
    assert [row["student"] for row in rows(grades(results))] == ['Smith, Jr. "X"', "'=cmd()", "a b⟨U+0000⟩"]


def test_similar_answers() -> None:
    found = rows(similarities(similar(made_up(40))))
    assert {(row["student"], row["other student"]) for row in found} == {("s0001", "s0002")}
