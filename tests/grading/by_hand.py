"""nbgrader's own commands in this process, and what ``autograder grade`` does, for tests that compare the two."""

from __future__ import annotations

from typing import Any

from nbgrader import converters
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from small_course import ASSIGNMENT, SmallCourse

from autograder.exercises import Runner
from autograder.grading import gradebook, recording
from autograder.grading.batch import Batch
from autograder.grading.configuration import configuration
from autograder.grading.engine import Engine
from autograder.grading.submissions import look_through

Rows = dict[tuple[str, str], tuple[float | None, bool]]


def run(course: SmallCourse, converter: str, **options: Any) -> None:
    """One of nbgrader's commands."""
    config = configuration(course.root).config
    directory = CourseDirectory(config=config, assignment_id=ASSIGNMENT)
    getattr(converters, converter)(coursedir=directory, config=config, **options).start()


def grade(course: SmallCourse, runner: Runner) -> Batch:
    """What ``autograder grade`` does."""
    engine, handed = Engine(runner, course.root / "exercises"), look_through(course.root)
    graded = tuple(engine.grade(course.assignment, one) for one in handed.submissions(course.assignment))
    batch = Batch((course.assignment,), handed.students, graded, handed.strays)
    recording.record(configuration(course.root), batch.assignments, batch.submissions)
    return batch


def opened(course: SmallCourse) -> Gradebook:
    """The gradebook, to be closed again."""
    settings = configuration(course.root)
    return Gradebook(settings.db_url, settings.course_id)


def rows(course: SmallCourse) -> tuple[Rows, dict[tuple[str, str], str]]:
    """Scores and comments in the gradebook, by student and cell."""
    with opened(course) as book:
        notebooks = [
            (submission.student.id, notebook)
            for submission in book.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
        ]
        scores = {
            (student, grade.name): (grade.auto_score, grade.needs_manual_grade)
            for student, notebook in notebooks
            for grade in notebook.grades
        }
        comments = {
            (student, comment.name): comment.auto_comment
            for student, notebook in notebooks
            for comment in notebook.comments
        }
        return scores, comments


def penalties(course: SmallCourse) -> dict[str, tuple[float, float, float]]:
    """Score, penalty and seconds late, by student."""
    with opened(course) as book:
        return {
            submission.student.id: (submission.score, submission.late_submission_penalty, submission.total_seconds_late)
            for submission in book.assignment_submissions(ASSIGNMENT)
        }


def forget(course: SmallCourse) -> None:
    """An empty gradebook.  (nbgrader starts a program for that, which takes its time.)"""
    for path in course.root.glob("gradebook.db*"):
        path.unlink()
    with gradebook.opened(configuration(course.root)):
        pass
