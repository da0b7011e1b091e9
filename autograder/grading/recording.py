"""What happens to graded submissions as they come: the gradebook has their scores, and nbgrader their notebooks.

They are written so many at a time, each time in one transaction of the gradebook, then their notebooks.  So a class of
any size takes little memory, nobody else who writes the gradebook waits for long, and what was written stays written
when something goes wrong later.  What the gradebook does not take stops the writing and not the grading; a notebook
that cannot be written stops nothing; whoever finishes the run is told of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from autograder.grading.assignment import Assignment, BadCourse
from autograder.grading.autograded import Pages
from autograder.grading.configuration import Configuration
from autograder.grading.gradebook import Recorder
from autograder.grading.gradebook_rows import GradebookError
from autograder.grading.graded import GradedSubmission

#: Submissions in one transaction.
AT_ONCE: Final = 100


class Recording:
    """The writing of one run; what is in it is written for certain only after ``finish``."""

    def __init__(self, configuration: Configuration, assignments: Sequence[Assignment]) -> None:
        self._assignments = assignments
        self._recorder = Recorder(configuration)
        self._pages = Pages(configuration.course, assignments)
        self._waiting: list[GradedSubmission] = []
        self._trouble: GradebookError | BadCourse | None = None
        self._page_trouble: OSError | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether the gradebook has taken all that there was for it."""
        return self._trouble is None

    def take(self, graded: GradedSubmission) -> None:
        """Write a submission, now or soon; never raises for what the gradebook or the disk cannot take."""
        if graded.handed_in and self._trouble is None:
            self._waiting.append(graded)
            if len(self._waiting) >= AT_ONCE:
                self._write()

    def finish(self) -> list[Exception]:
        """Write what is left; returns what was wrong where anything could not be written."""
        self._write()
        self._recorder.close()
        self._pages.close()
        return [trouble for trouble in (self._trouble, self._page_trouble) if trouble is not None]

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting or self._trouble is not None:
            return
        try:
            self._recorder.record(self._assignments, waiting)
        except (GradebookError, BadCourse) as error:
            self._trouble = error
            return
        for graded in waiting:
            try:
                self._pages.write(graded)
            except OSError as error:
                self._page_trouble = self._page_trouble or error


def record(configuration: Configuration, assignments: Sequence[Assignment], graded: Iterable[GradedSubmission]) -> None:
    """Write submissions that were graded already; raises ``GradebookError``, ``BadCourse`` and OSError."""
    recording = Recording(configuration, assignments)
    for one in graded:
        recording.take(one)
    for trouble in recording.finish():
        raise trouble
