"""What is counted of a class: only what was judged, and nothing is said that the numbers do not carry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from generated_class import made_up

from autograder.grading.reports import analysis
from autograder.grading.reports.analysis import Total, correlation, distribution, fifths
from autograder.grading.reports.results import Criterion, ExerciseResult, Results


@pytest.fixture(scope="module")
def results() -> Results:
    return made_up(200)


def test_totals_go_from_the_best_to_the_weakest(results: Results) -> None:
    shares = [total.share for total in analysis.totals(results)]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) < 200  # of somebody nothing was judged


def test_full_marks_are_in_the_last_part_and_each_part_begins_where_the_last_one_ends() -> None:
    found = [Total("x", points, 10, True) for points in (0, 0.9, 1, 3, 9.99, 10)]
    assert distribution(found) == [2, 1, 0, 1, 0, 0, 0, 0, 0, 2]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([(x / 10, x / 10) for x in range(10)], 1),
        ([(x / 10, -x / 10) for x in range(10)], -1),
        ([(x % 2, x // 2 % 2) for x in range(12)], 0),
        ([(1, x) for x in range(20)], None),
        ([(x, x) for x in range(9)], None),
    ],
)
def test_correlation(pairs: list[tuple[float, float]], expected: float | None) -> None:
    found = correlation(pairs)
    assert found is expected if expected is None else found == pytest.approx(expected)


def test_the_figures_of_an_exercise(results: Results) -> None:
    figures = {one.exercise.id: one for one in analysis.exercises(results)}
    assert list(figures) == [exercise.id for exercise in results.exercises]
    easy, hard = figures["pods/first-pod"], figures["pods/not-before"]
    assert (easy.difficulty or 0) > 0.7 > 0.4 > (hard.difficulty or 1)
    assert all((one.discrimination or 0) > 0.3 for one in figures.values())
    assert all(one.judged + one.missing + one.unjudged == 200 for one in figures.values())


def test_an_exercise_that_many_could_not_be_judged_at_needs_a_look(results: Results) -> None:
    remarks = {one.exercise.id: one.remarks for one in analysis.exercises(results) if one.remarks}
    assert "answers could not be judged" in remarks["resourcequotas/numbers"][0]
    assert "pods/first-pod" not in remarks


def test_so_does_one_that_is_hard_or_that_says_nothing(results: Results) -> None:
    def turned(answer: ExerciseResult) -> ExerciseResult:
        """Points for those only who had none."""
        if answer.exercise != "pods/first-pod" or answer.share is None:
            return answer
        return replace(answer, earned=round(4 * (0.2 - answer.share / 5), 2))

    submissions = tuple(
        replace(submission, exercises=tuple(map(turned, submission.exercises))) for submission in results.submissions
    )
    figures = analysis.exercises(replace(results, submissions=submissions))[0]
    assert [remark.partition(":")[0].partition(" (")[0] for remark in figures.remarks] == [
        "hard", "who did well elsewhere did less well here",
    ]  # fmt: skip


def test_the_most_common_wrong_values_come_first(results: Results) -> None:
    found = analysis.mistakes(results, values=True)
    assert [one.students for one in found] == sorted((one.students for one in found), reverse=True)
    worst = next(one for one in found if one.criterion == "image")
    assert (worst.said, worst.wanted) == ("nginx:latest", "nginx:1.27")
    assert all(one.students > 1 and 0 < one.share <= 1 for one in found)


def test_messages_without_values_are_counted_apart(results: Results) -> None:
    said = {one.criterion: one.said for one in analysis.mistakes(results, values=False)}
    assert said["exists"] == "there is no Pod web; there are: nothing"
    assert said["readable"].startswith("a `{` is opened here")


def test_of_several_errors_in_one_place_the_first_is_counted() -> None:
    results = made_up(12)
    lines = tuple(Criterion("readable", "gate", "failed", 0, 0, f"line {number} is none") for number in range(1, 4))
    submissions = tuple(
        replace(one, exercises=tuple(replace(answer, status="unreadable", criteria=lines) for answer in one.exercises))
        for one in results.submissions
    )
    messages = analysis.mistakes(replace(results, submissions=submissions), values=False)
    assert {one.said for one in messages} == {"line 1 is none"}


def test_who_waits_for_somebody_to_look(results: Results) -> None:
    for submission, answers in analysis.unjudged(results):
        assert submission.handed_in
        assert all(one.earned is None and analysis.reason(one) for one in answers)


@pytest.mark.parametrize(("students", "sizes"), [(0, []), (3, [1, 1, 1]), (5, [1] * 5), (12, [3, 2, 3, 2, 2])])
def test_groups_are_about_as_large_as_each_other(students: int, sizes: list[int]) -> None:
    found = fifths([Total(str(number), 1, 1, True) for number in range(students)])
    assert [len(group) for group in found] == sizes
    assert [student for group in found for student in group] == [str(number) for number in range(students)]
