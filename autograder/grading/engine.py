"""Submission in, verdicts out, without Jupyter and without executing anything of the student's."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

from autograder.checks import Outcome, Status, Verdict, block
from autograder.checks.verdict import tidy
from autograder.exercises import Answer, Runner, exercises_root, load
from autograder.exercises.entries import READABLE, WHY_READABLE, entry
from autograder.exercises.exercise import Exercise
from autograder.exercises.sheets import remarked
from autograder.grading.assignment import Assignment, BadCourse, Cell, NoAnswer, Notebook, Task
from autograder.grading.digests import Key, digest_of_answer, digest_of_exercise, digest_of_grader, kind_of_cluster
from autograder.grading.individual import Individual, Seen
from autograder.grading.ledger import Entry, Reading
from autograder.grading.memory import Memory
from autograder.grading.restoring import Note, blank, restored
from autograder.grading.submissions import Submission, Unreadable, read_submitted, sheet_of

#: Statuses of answers and submissions, what needs somebody's look the most first.
_BY_URGENCY: Final = (
    Status.COULD_NOT_BE_JUDGED, Status.TIMED_OUT, Status.TAMPERED, Status.UNREADABLE, Status.NOT_RUN_THERE,
    Status.GRADED, Status.NOT_SUBMITTED,
)  # fmt: skip


class Origin(Enum):
    """Where a verdict comes from."""

    NO_ANSWER = "there was nothing to judge"
    JUDGED = "judged now"
    REMEMBERED = "judged before"


@dataclass(frozen=True)
class Graded:
    """One task and the verdict on its answer: the answer's text, what decided the verdict, and where it comes from.

    ``drawn`` are the values of the exercise's parameters.
    """

    task: Task
    verdict: Verdict
    answer: str = ""
    key: Key | None = None
    drawn: Mapping[str, Any] = field(default_factory=dict)
    origin: Origin = field(default=Origin.NO_ANSWER, compare=False)

    @property
    def score(self) -> float | None:
        """Points for the gradebook; None for what was not judged, so that nobody is given a silent 0.

        What could not be run on this kind of cluster has left the total; the rest then counts for all the points.
        """
        if self.verdict.status is not Status.GRADED:
            return None
        return tidy(self.task.points * self.verdict.earned / self.verdict.possible) if self.verdict.possible else 0


@dataclass(frozen=True)
class GradedNotebook:
    """A student's notebook as it was graded: the restored cells, the verdicts on its tasks, what was put right.

    ``seconds`` are those of wall time that judging it took.
    """

    notebook: str
    cells: list[Cell]
    graded: tuple[Graded, ...]
    notes: tuple[Note, ...] = ()
    seconds: float = 0.0

    def notes_on(self, task: Task) -> list[str]:
        """What was put right about the cells of one task."""
        return [note.text for note in self.notes if note.cell in (task.answer_cell, task.check_cell)]


@dataclass(frozen=True)
class GradedSubmission:
    """One student's work on one assignment."""

    submission: Submission
    notebooks: tuple[GradedNotebook, ...]
    handed_in: bool = True

    @property
    def seconds(self) -> float:
        """Seconds of wall time that judging it took."""
        return math.fsum(notebook.seconds for notebook in self.notebooks)

    @property
    def without_cells(self) -> GradedSubmission:
        """All that was said of it, without the notebooks themselves, which are most of it."""
        bare = tuple(replace(notebook, cells=[]) for notebook in self.notebooks)
        return replace(self, notebooks=bare)

    @property
    def graded(self) -> tuple[Graded, ...]:
        """The tasks of all notebooks with their verdicts, in order."""
        return tuple(graded for notebook in self.notebooks for graded in notebook.graded)

    @property
    def was_cut_off(self) -> bool:
        """Whether a judgement was stopped in the middle of what it did, so that its engine is not to be trusted."""
        return any(one.verdict.status is Status.TIMED_OUT for one in self.graded)

    @property
    def was_tampered_with(self) -> bool:
        """Whether what points hang on had to be put right."""
        return any(note.is_tampering for notebook in self.notebooks for note in notebook.notes)

    @property
    def status(self) -> Status:
        """What is to be said of the whole: of all that can be said of its parts, what needs a look the most."""
        found = {one.verdict.status for one in self.graded}
        if self.was_tampered_with:
            found.add(Status.TAMPERED)
        return most_urgent(found)

    def entries(self) -> Iterator[Entry]:
        """What the ledger keeps of its answers."""
        student, assignment = self.submission.student, self.submission.assignment
        for one in self.graded:
            if one.key is not None:
                yield Entry(student, assignment, one.task.check_cell, one.key, one.verdict, one.answer, one.drawn)

    def readings(self) -> Iterator[Reading]:
        """What the ledger keeps of its notebooks."""
        student, assignment = self.submission.student, self.submission.assignment
        for one in self.notebooks:
            yield Reading(student, assignment, one.notebook, self.handed_in, one.seconds, one.notes)


class Engine:
    """Grades submissions on forks of one warm cluster, each by the values of its student."""

    def __init__(
        self,
        runner: Runner,
        exercises: Path | None = None,
        individual: Individual | None = None,
        *,
        memory: Memory | None = None,
        cluster: str = "embedded",
    ) -> None:
        self._runner = runner
        self._root = exercises or exercises_root()
        self._individual = individual or Individual()
        self._memory = memory
        self._cluster = kind_of_cluster(cluster)
        self._exercises: dict[str, Exercise] = {}

    def warm_up(self, assignments: Sequence[Assignment]) -> None:
        """Load and prepare everything once, before workers are forked; raises ``BadCourse`` and ``BadExercise``."""
        digest_of_grader()
        for task in [task for assignment in assignments for task in assignment.tasks]:
            exercise = self._exercise(task.exercise)
            _agree(task, exercise)
            with contextlib.suppress(Exception):  # judging an answer meets it again, and the verdict says so
                self._runner.warm_up(exercise)

    def seconds(self, assignment: Assignment) -> float:
        """How long judging one submission may take by the bounds of its exercises."""
        return sum(self._runner.seconds(self._exercise(task.exercise)) for task in assignment.tasks)

    def grade(self, assignment: Assignment, submission: Submission) -> GradedSubmission:
        """The verdicts on a submission; whatever it holds, this returns."""
        notebooks = tuple(self._notebook(notebook, submission) for notebook in assignment.notebooks)
        return GradedSubmission(submission, notebooks, submission.exists)

    def not_graded(
        self, assignment: Assignment, submission: Submission, status: Status, message: str
    ) -> GradedSubmission:
        """What is said of a submission that the engine did not come to the end of."""
        notebooks = tuple(self._blank(notebook, status, message) for notebook in assignment.notebooks)
        return GradedSubmission(submission, notebooks)

    def exercise(self, identity: str, student: str) -> Exercise:
        """An exercise with the values of a student."""
        return self._individual.exercise(self._exercise(identity), student)

    def judge(self, task: Task, source: str, student: str = "") -> Graded:
        """The verdict on the text of one answer cell."""
        exercise = self.exercise(task.exercise, student)
        try:
            content = task.answer(source)
        except NoAnswer as none:
            return self._unjudged(task, exercise, none.status, str(none), source)
        file = task.opening.file
        key = self._key(exercise, file, content)
        origin = Origin.REMEMBERED
        verdict = self._memory.find(key) if self._memory else None
        if verdict is None:
            origin, verdict = Origin.JUDGED, self._judged(exercise, Answer({file: content}))
            if self._memory:
                self._memory.keep(key, verdict)
        if verdict.status is Status.NOT_SUBMITTED:
            origin = Origin.NO_ANSWER
        return Graded(task, verdict, content, key, exercise.values, origin)

    def _judged(self, exercise: Exercise, answer: Answer) -> Verdict:
        try:
            verdict = self._runner.judge(exercise, answer)
            return remarked(exercise, verdict) if self._individual.drawn else verdict
        except Exception as error:  # a defect of the grader costs one answer its verdict, and says so
            message = f"could not be judged: {type(error).__name__}: {error}"
            return unjudged(exercise, Status.COULD_NOT_BE_JUDGED, message)

    def grade_cells(
        self, notebook: Notebook, cells: Sequence[Cell], student: str = "", sheet: object = None
    ) -> GradedNotebook:
        """The verdicts on the answers in a notebook's cells; ``sheet`` is what it says of its individual values."""
        fixed = restored(cells, notebook)
        individual = [task for task in notebook.tasks if self._exercise(task.exercise).is_individual]
        seen = self._individual.look(sheet, student) if individual else Seen()

        def judged(task: Task) -> Graded:
            source = fixed.answer(task.answer_cell)
            if seen.obstacle and task in individual:
                exercise = self._exercise(task.exercise)
                return self._unjudged(task, exercise, Status.COULD_NOT_BE_JUDGED, seen.obstacle, source)
            return self.judge(task, source, student)

        graded = tuple(map(judged, notebook.tasks))
        notes = (*fixed.notes, *(Note(task.answer_cell, seen.note) for task in individual if seen.note))
        return GradedNotebook(notebook.name, fixed.cells, graded, notes)

    def missing(self, notebook: Notebook) -> GradedNotebook:
        """What is said of a notebook that was not handed in."""
        return self._blank(notebook, Status.NOT_SUBMITTED, absent(notebook))

    def unreadable(self, notebook: Notebook, message: str) -> GradedNotebook:
        """What is said of a notebook that cannot be read."""
        return self._blank(notebook, Status.UNREADABLE, message)

    def _notebook(self, notebook: Notebook, submission: Submission) -> GradedNotebook:
        begin = time.perf_counter()
        try:
            document = read_submitted(submission, notebook)
            graded = self.grade_cells(notebook, document["cells"], submission.student, sheet_of(document))
            return replace(graded, seconds=time.perf_counter() - begin)
        except FileNotFoundError:
            return self.missing(notebook)
        except Unreadable as error:
            return self.unreadable(notebook, str(error))
        except OSError as error:
            return self.unreadable(notebook, f"the notebook cannot be opened: {error.strerror}")

    def _blank(self, notebook: Notebook, status: Status, message: str) -> GradedNotebook:
        graded = tuple(self._unjudged(task, self._exercise(task.exercise), status, message) for task in notebook.tasks)
        return GradedNotebook(notebook.name, blank(notebook), graded)

    def _unjudged(self, task: Task, exercise: Exercise, status: Status, message: str, source: str = "") -> Graded:
        """What is said of a cell that holds no answer to this exercise; its key is that of no answer."""
        key = self._key(exercise, "", source)
        return Graded(task, unjudged(exercise, status, message), source, key, exercise.values)

    def _key(self, exercise: Exercise, file: str, text: str) -> Key:
        own = self._individual.drawn and exercise.is_individual
        return Key(digest_of_answer(file, text), digest_of_exercise(exercise, own), digest_of_grader(), self._cluster)

    def _exercise(self, identity: str) -> Exercise:
        if identity not in self._exercises:
            self._exercises[identity] = load(identity, self._root)
        return self._exercises[identity]


def most_urgent(found: Set[Status]) -> Status:
    """Of all that is to be said of parts, what needs somebody's look the most."""
    return next((status for status in _BY_URGENCY if status in found), Status.GRADED)


def together(parts: Sequence[GradedSubmission], judged: Sequence[GradedSubmission]) -> GradedSubmission:
    """One submission of parts that were graded each by itself, in the order of its tasks.

    Only those of the parts that were ``judged`` know the cells; of the others it is not known what stood in them.
    """
    cells = {notebook.notebook: notebook.cells for part in (*parts, *judged) for notebook in part.notebooks}
    notebooks = []
    for name, known in cells.items():
        own = [notebook for part in parts for notebook in part.notebooks if notebook.notebook == name]
        graded = tuple(one for notebook in own for one in notebook.graded)
        notes = tuple(dict.fromkeys(note for notebook in own for note in notebook.notes))
        notebooks.append(GradedNotebook(name, known, graded, notes, math.fsum(notebook.seconds for notebook in own)))
    return GradedSubmission(parts[0].submission, tuple(notebooks), parts[0].handed_in)


def absent(notebook: Notebook) -> str:
    """How it is said that a notebook is not there."""
    return f"{notebook.name}.ipynb was not handed in"


def unjudged(exercise: Exercise, status: Status, message: str) -> Verdict:
    """The verdict on an answer that could not be looked at: no points, and why."""
    outcome = Outcome.COULD_NOT_BE_JUDGED if status is Status.COULD_NOT_BE_JUDGED else Outcome.FAILED
    reason = entry(READABLE, message, WHY_READABLE, outcome=outcome)
    return Verdict(exercise.id, status, (reason, *block(exercise.checks, reason.name)), exercise.points)


def _agree(task: Task, exercise: Exercise) -> None:
    """Raise ``BadCourse`` unless the notebook says of an exercise what the exercise says."""
    if exercise.points != task.points:
        raise BadCourse(
            f"{task.check_cell} is worth {task.points:g} points, and {task.exercise} {exercise.points:g}; "
            "make them the same"
        )
    form = exercise.form
    if task.opening.form != form.value or not task.opening.file.endswith(form.ending):
        raise BadCourse(
            f"{task.answer_cell} begins with {task.opening}, and an answer to {task.exercise} is "
            f"%%{form.value} NAME{form.ending}"
        )
