"""Grading a class: every submission of every assignment, in several processes, each apart from the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from autograder.checks.verdict import Status
from autograder.clusters import open_cluster
from autograder.exercises import Runner, exercises_root
from autograder.grading.assignment import Assignment, BadCourse
from autograder.grading.engine import Engine, GradedSubmission
from autograder.grading.individual import Individual
from autograder.grading.pool import Lost, each
from autograder.grading.submissions import Submission, look_through

#: Seconds that a submission may take beyond what its exercises may: for reading it, and for a busy machine.
ALLOWANCE: Final = 60


@dataclass(frozen=True)
class Batch:
    """A graded class: the submissions by assignment, then by student; also of students who did not hand it in."""

    assignments: tuple[Assignment, ...]
    students: tuple[str, ...]
    submissions: tuple[GradedSubmission, ...]
    strays: tuple[str, ...]


class Grader:
    """Judges one submission after the other.  Can be sent to another process, which then opens its own cluster."""

    def __init__(self, course: Path, cluster: str, assignments: Sequence[Assignment]) -> None:
        self._parts = (course, cluster, tuple(assignments))
        self._assignments = {assignment.name: assignment for assignment in assignments}

    def __reduce__(self) -> tuple[type[Grader], tuple[Path, str, tuple[Assignment, ...]]]:
        return Grader, self._parts

    def __call__(self, submission: Submission) -> GradedSubmission:
        return self.engine.grade(self._assignments[submission.assignment], submission)

    @cached_property
    def engine(self) -> Engine:
        """The engine, warm."""
        course, cluster, assignments = self._parts
        engine = open_engine(course, cluster)
        engine.warm_up(assignments)
        return engine

    def seconds(self, submission: Submission) -> float:
        """The limit of wall time for a submission."""
        return ALLOWANCE + self.engine.seconds(self._assignments[submission.assignment])

    def lost(self, submission: Submission, lost: Lost) -> GradedSubmission:
        """What is said of a submission whose judgement came to no end."""
        status = Status.TIMED_OUT if lost.timed_out else Status.COULD_NOT_BE_JUDGED
        message = f"could not be judged: {lost.message}"
        return self.engine.not_graded(self._assignments[submission.assignment], submission, status, message)


def open_engine(course: Path, cluster: str = "embedded") -> Engine:
    """An engine for the exercises of a course."""
    own = course / "exercises"
    individual = Individual.of(course)
    return Engine(Runner(open_cluster(cluster)), own if own.is_dir() else exercises_root(), individual)


def grade(
    course: Path,
    assignments: Sequence[Assignment],
    *,
    workers: int,
    cluster: str = "embedded",
    meanwhile: Callable[[], object] | None = None,
    started: Callable[[int], object] = lambda count: None,
    graded: Callable[[Submission], object] = lambda submission: None,
) -> Batch:
    """Grade what was handed in, but for assignments that nobody has handed in yet.

    ``started`` hears how many submissions there are, ``graded`` of each that is done.
    Raises ``BadCourse``, ``BadExercise`` and ``ClusterError``; nothing that a submission holds raises anything.
    """
    handed = look_through(course)
    found = {assignment: handed.submissions(assignment) for assignment in assignments}
    due = [assignment for assignment in assignments if any(one.exists for one in found[assignment])]
    if not due:
        raise BadCourse(f"{course / 'submitted'}: nobody has handed in anything; put <student>/<assignment>/ there")
    grader = Grader(course, cluster, due)
    work = grader if cluster == "embedded" else Grader(course, cluster, due)  # each with connections of its own
    submissions = [submission for assignment in due for submission in found[assignment]]
    grader.engine  # noqa: B018  open and warm, before workers are forked from this process
    started(len(submissions))
    results: dict[int, GradedSubmission] = {}
    outcomes = each(
        work, submissions, workers=workers, seconds=grader.seconds, meanwhile=meanwhile,
        is_spent=lambda result: result.was_cut_off,
    )  # fmt: skip
    for index, result in outcomes:
        submission = submissions[index]
        results[index] = grader.lost(submission, result) if isinstance(result, Lost) else result
        graded(submission)
    ordered = tuple(results[index] for index in range(len(submissions)))
    return Batch(tuple(due), handed.students, ordered, handed.strays)
