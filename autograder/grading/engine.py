"""Submission in, verdicts out, without Jupyter and without executing anything of the student's."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autograder.checks import Status, Verdict
from autograder.exercises import Answer, Runner, exercises_root, load
from autograder.exercises.exercise import Exercise
from autograder.exercises.sheets import remarked
from autograder.grading.assignment import Assignment, BadCourse, Cell, NoAnswer, Notebook, Task
from autograder.grading.digests import Key, digest_of_answer, digest_of_exercise, digest_of_grader, kind_of_cluster
from autograder.grading.graded import Graded, GradedNotebook, GradedSubmission, Origin, absent, unjudged
from autograder.grading.individual import Individual, Seen
from autograder.grading.memory import Memory
from autograder.grading.restoring import Note, blank, restored
from autograder.grading.submissions import Submission, Unreadable, read_submitted, sheet_of


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
