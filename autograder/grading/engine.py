"""Submission in, verdicts out, without Jupyter and without executing anything of the student's."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.checks.verdict import Outcome, Result, Role, Status, Verdict
from autograder.exercises import Answer, Runner, load
from autograder.exercises.exercise import Exercise
from autograder.grading.assignment import Assignment, Cell, Notebook, Task, manifest_name
from autograder.grading.restoring import restored
from autograder.grading.submissions import Submission, Unreadable, read_notebook


@dataclass(frozen=True)
class Graded:
    """One task's verdict, and what was noticed about the cells it stands on."""

    task: Task
    verdict: Verdict


@dataclass(frozen=True)
class GradedNotebook:
    """A student's notebook as it was graded.  ``cells`` are the restored ones; None when it could not be read."""

    notebook: str
    graded: tuple[Graded, ...]
    notes: tuple[str, ...] = ()
    cells: list[Cell] | None = None


@dataclass(frozen=True)
class GradedSubmission:
    """Everything about one student's work on one assignment."""

    student: str
    assignment: str
    notebooks: tuple[GradedNotebook, ...]

    @property
    def earned(self) -> float:
        """The points."""
        return sum(one.verdict.earned for notebook in self.notebooks for one in notebook.graded)

    @property
    def statuses(self) -> set[Status]:
        """What became of the tasks."""
        return {one.verdict.status for notebook in self.notebooks for one in notebook.graded}


class Engine:
    """Grades submissions on forks of one warm cluster."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._exercises: dict[str, Exercise] = {}

    def grade(self, assignment: Assignment, submission: Submission) -> GradedSubmission:
        """The verdicts on a submission; whatever it holds, this returns."""
        notebooks = tuple(self._notebook(notebook, submission) for notebook in assignment.notebooks)
        return GradedSubmission(submission.student, submission.assignment, notebooks)

    def judge(self, task: Task, source: str) -> Verdict:
        """The verdict on the text of one answer cell."""
        exercise = self._exercise(task.exercise)
        name = manifest_name(source)
        if source.strip() and name != task.file:
            first = source.partition("\n")[0][:80]
            message = (
                f"the answer cell must begin with the line '%%manifest {task.file}', and it begins with {first!r}; "
                "put that line back"
            )
            return unjudged(exercise, Status.UNREADABLE, message)
        return self._runner.judge(exercise, Answer({task.file: source.partition("\n")[2]}))

    def _notebook(self, notebook: Notebook, submission: Submission) -> GradedNotebook:
        try:
            document = read_notebook(submission.path_of(notebook))
        except FileNotFoundError:
            return self._without_cells(notebook, Status.NOT_SUBMITTED, f"{notebook.name}.ipynb was not handed in")
        except Unreadable as error:
            return self._without_cells(notebook, Status.UNREADABLE, str(error))
        except OSError as error:
            return self._without_cells(notebook, Status.UNREADABLE, f"{notebook.name}.ipynb: {error.strerror}")
        cells = restored(document["cells"], notebook)
        graded = tuple(Graded(task, self.judge(task, cells.answer(task.answer_cell))) for task in notebook.tasks)
        return GradedNotebook(notebook.name, graded, cells.notes, cells.cells)

    def _without_cells(self, notebook: Notebook, status: Status, message: str) -> GradedNotebook:
        graded = tuple(
            Graded(task, unjudged(self._exercise(task.exercise), status, message)) for task in notebook.tasks
        )
        return GradedNotebook(notebook.name, graded)

    def _exercise(self, identity: str) -> Exercise:
        if identity not in self._exercises:
            self._exercises[identity] = load(identity)
        return self._exercises[identity]


def unjudged(exercise: Exercise, status: Status, message: str) -> Verdict:
    """The verdict on an answer that could not be looked at: no points, and why."""
    reason = Result("the answer can be read", Role.GATE, Outcome.FAILED, 0, 0, message)
    return Verdict(exercise.id, status, (reason,), exercise.points)
