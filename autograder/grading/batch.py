"""Grading a class: every submission of every assignment, in several processes, each apart from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from autograder.checks.verdict import Status
from autograder.clusters import open_cluster
from autograder.exercises import Runner
from autograder.grading.assignment import Assignment, BadCourse, exercises_of
from autograder.grading.configuration import configuration
from autograder.grading.digests import digest_of_grader, kind_of_cluster
from autograder.grading.engine import Engine
from autograder.grading.executors import Executor, Lost
from autograder.grading.graded import GradedSubmission, together
from autograder.grading.individual import Individual
from autograder.grading.ledger import Ledger
from autograder.grading.memory import Memory
from autograder.grading.spool import Spool
from autograder.grading.submissions import Submission, look_through

#: Seconds that a submission may take beyond what its exercises may: for reading it, and for a busy machine.
ALLOWANCE: Final = 60

#: Verdicts that are sent to workers who cannot look into the ledger.
COPIED: Final = 20_000


@dataclass(frozen=True)
class Batch:
    """A graded class: the submissions by assignment, then by student; also of students who did not hand it in.

    The submissions lie on the disk, without the cells of their notebooks, and are read anew each time.
    """

    assignments: tuple[Assignment, ...]
    students: tuple[str, ...]
    submissions: Sequence[GradedSubmission]
    strays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """A submission to be judged; with ``task``, the name of a check cell, only one answer of it."""

    submission: Submission
    task: str = ""


#: ``Executor.each``, told what to do and when to stop.
_Each = Callable[..., Iterator[tuple[int, GradedSubmission | Lost]]]


class Grader:
    """Judges one submission after the other.  Can be sent to another process, which then opens its own cluster."""

    def __init__(
        self,
        course: Path,
        cluster: str,
        assignments: Sequence[Assignment],
        memory: Memory | None = None,
        allow_python: bool = False,
    ) -> None:
        self._parts = (course, cluster, tuple(assignments), memory, allow_python)
        self._assignments = {assignment.name: assignment for assignment in assignments}

    def __reduce__(self) -> tuple[type[Grader], tuple[Path, str, tuple[Assignment, ...], Memory | None, bool]]:
        return Grader, self._parts

    def __call__(self, work: Work) -> GradedSubmission:
        return self.engine.grade(self._assignment(work), work.submission)

    @cached_property
    def engine(self) -> Engine:
        """The engine, warm."""
        course, cluster, assignments, memory, allow_python = self._parts
        engine = open_engine(course, cluster, memory, allow_python)
        engine.warm_up(assignments)
        return engine

    def seconds(self, work: Work) -> float:
        """The limit of wall time for a submission."""
        return ALLOWANCE + self.engine.seconds(self._assignment(work))

    @staticmethod
    def is_spent(result: GradedSubmission) -> bool:
        """Whether a worker is to do nothing more after this result."""
        return result.was_cut_off

    def ended(self, work: Work, result: GradedSubmission | Lost) -> GradedSubmission:
        """The result of a submission; where its judgement came to no end, what is said of that."""
        if not isinstance(result, Lost):
            return result
        status = Status.TIMED_OUT if result.timed_out else Status.COULD_NOT_BE_JUDGED
        message = f"could not be judged: {result.message}"
        return self.engine.not_graded(self._assignment(work), work.submission, status, message)

    def apart(self, work: Work) -> list[Work]:
        """The answers of a submission, each as work of its own."""
        return [Work(work.submission, task.check_cell) for task in self._assignment(work).tasks]

    def _assignment(self, work: Work) -> Assignment:
        whole = self._assignments[work.submission.assignment]
        return whole.only(work.task) if work.task else whole


def open_engine(
    course: Path, cluster: str = "embedded", memory: Memory | None = None, allow_python: bool = False
) -> Engine:
    """An engine for the exercises of a course; its settings may allow programs as answers too."""
    allow_python = allow_python or configuration(course).allow_python
    runner = Runner(open_cluster(cluster), allow_python=allow_python)
    return Engine(runner, exercises_of(course), Individual.of(course), memory=memory, cluster=cluster)


def grade(
    course: Path,
    assignments: Sequence[Assignment],
    *,
    executor: Executor,
    cluster: str = "embedded",
    fresh: bool = False,
    allow_python: bool = False,
    meanwhile: Callable[[], object] | None = None,
    started: Callable[[int], object] = lambda count: None,
    graded: Callable[[GradedSubmission], object] = lambda submission: None,
) -> Batch:
    """Grade what was handed in, but for assignments that nobody has handed in yet.

    Every verdict goes into the course's ledger as it comes, and is taken from there if it was given before, unless it
    is to be ``fresh``.  ``started`` hears how many submissions there are, ``graded`` of each that is done.
    Raises ``BadCourse``, ``BadExercise``, ``BadExecutor`` and ``ClusterError``; nothing that a submission holds raises
    anything.
    """
    handed = look_through(course)
    found = {assignment: handed.submissions(assignment) for assignment in assignments}
    due = [assignment for assignment in assignments if any(one.exists for one in found[assignment])]
    if not due:
        raise BadCourse(f"{course / 'submitted'}: nobody has handed in anything; put <student>/<assignment>/ there")
    with Ledger.open(course) as ledger, _memory(course, cluster, ledger, executor, fresh) as memory:
        grader = Grader(course, cluster, due, memory, allow_python)
        # on a real cluster workers have connections of their own
        work = grader if cluster == "embedded" else Grader(course, cluster, due, memory, allow_python)
        grader.engine  # noqa: B018  open and warm, before workers are forked from this process
        items = [Work(submission) for assignment in due for submission in found[assignment]]
        started(len(items))
        results: Spool[GradedSubmission] = Spool(len(items))
        each = partial(executor.each, work, seconds=grader.seconds, is_spent=grader.is_spent)
        for index, result in _graded(grader, items, each, meanwhile):
            ledger.add(result.entries() if result.handed_in else (), result.readings())
            results.put(index, result.without_cells)
            graded(result)
    return Batch(tuple(due), handed.students, results, handed.strays)


def _graded(
    grader: Grader, items: Sequence[Work], each: _Each, meanwhile: Callable[[], object] | None
) -> Iterator[tuple[int, GradedSubmission]]:
    """The index and the result of every submission, as they come.

    What is lost is judged once more at the end, answer by answer, so that one answer costs no other.
    """
    unfinished: list[int] = []
    for index, result in each(items, meanwhile=meanwhile):
        if isinstance(result, Lost):
            unfinished.append(index)
        else:
            yield index, result
    for index in unfinished:
        apart = grader.apart(items[index])
        ended = dict(each(apart))
        parts = [grader.ended(part, ended[at]) for at, part in enumerate(apart)]
        yield index, together(parts, [part for at, part in enumerate(parts) if part is ended[at]])


def _memory(
    course: Path, cluster: str, ledger: Ledger, executor: Executor, fresh: bool
) -> AbstractContextManager[Memory | None]:
    """What workers remember: they look into the ledger, or where they cannot, into a copy of what is newest in it."""
    if fresh:
        return nullcontext()
    if executor.is_here:
        return Memory(course)
    return Memory(known=ledger.newest(digest_of_grader(), kind_of_cluster(cluster), COPIED))
