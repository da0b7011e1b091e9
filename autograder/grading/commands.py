"""The command ``autograder grade``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from autograder.grading.assignment import Assignment
    from autograder.grading.batch import Batch
    from autograder.grading.configuration import Configuration
    from autograder.grading.graded import GradedSubmission

#: Everything that was handed in was judged.
ALL_JUDGED: Final = 0
#: Everything is written, and somebody has to look at a submission: unreadable, tampered, timed out, not to be judged.
SOME_NOT_JUDGED: Final = 1
#: The course, the cluster or the gradebook could not be used; what was judged until then is kept in the ledger.
NOT_DONE: Final = 2
#: As shells say it of a program that ended at Ctrl-C.
INTERRUPTED: Final = 130


def grade(options: argparse.Namespace) -> int:
    """Grade what was handed in, print the table, fill the gradebook; returns one of the codes above."""
    from autograder.clusters import ClusterError
    from autograder.exercises import BadExercise
    from autograder.grading.assignment import BadCourse
    from autograder.grading.disk import in_words
    from autograder.grading.executors import BadExecutor
    from autograder.grading.gradebook_rows import GradebookError

    try:
        return _grade(options)
    except (BadCourse, BadExecutor, BadExercise, ClusterError, GradebookError, OSError) as error:
        print(f"autograder grade: {in_words(error)}", file=sys.stderr)
        return NOT_DONE
    except KeyboardInterrupt:
        print("autograder grade: interrupted; grade again to go on", file=sys.stderr)
        return INTERRUPTED


def _grade(options: argparse.Namespace) -> int:
    from autograder.grading import roster
    from autograder.grading.assignment import find_course, load_assignments
    from autograder.grading.configuration import configuration
    from autograder.grading.disk import in_words
    from autograder.grading.due_dates import read_extensions
    from autograder.grading.recording import Recording
    from autograder.grading.table import lines

    begin, tally = time.monotonic(), _Tally()
    course = find_course(options.course)
    settings, assignments = configuration(course), load_assignments(course, options.assignment)
    read_extensions(course)  # what is wrong in it is better told now than when it is needed
    recording = Recording(settings, assignments)
    batch = _graded(options, course, assignments, [tally.take, recording.take])
    for line in lines(batch):
        print(line)
    sys.stdout.flush()
    troubles = recording.finish()
    if options.json:
        try:
            _write_results(options.json, settings, batch, recording.is_recorded)
        except OSError as error:
            troubles.append(error)
    for trouble in troubles:
        print(f"autograder grade: {in_words(trouble)}", file=sys.stderr)
    if troubles:
        return NOT_DONE
    for remark in roster.remarks(settings, batch):
        print(remark)
    print(
        f"\n{tally.handed_in} submissions of {len(batch.students)} students graded in "
        f"{time.monotonic() - begin:.1f} s ({tally.origins()}); "
        f"scores are in {os.path.relpath(course / 'gradebook.db')}, graded notebooks beside it in autograded/"
    )
    return SOME_NOT_JUDGED if tally.has_unjudged else ALL_JUDGED


class _Tally:
    """What the last line and the exit code say of all submissions."""

    def __init__(self) -> None:
        self.handed_in = 0
        self.has_unjudged = False
        self._origins: Counter[str] = Counter()

    def take(self, graded: GradedSubmission) -> None:
        """Count a submission; nobody can look at what was not handed in."""
        from autograder.checks import Status

        settled = (Status.GRADED, Status.NOT_SUBMITTED)
        self.handed_in += graded.handed_in
        self.has_unjudged |= graded.was_tampered_with
        for one in graded.graded:
            self.has_unjudged |= one.verdict.status not in settled
            self._origins[one.origin.name] += 1

    def origins(self) -> str:
        """How many answers were judged, and how many were known."""
        judged, remembered = self._origins["JUDGED"], self._origins["REMEMBERED"]
        return f"{judged} answers judged" + (f", {remembered} taken from equal ones" if remembered else "")


def _write_results(path: Path, settings: Configuration, batch: Batch, is_recorded: bool) -> None:
    """Write the document of results, also if the gradebook would not take them; docs/results.md describes it."""
    from autograder.grading.disk import naming
    from autograder.grading.reports.collecting import Collector
    from autograder.grading.reports.recorded import Known, known

    found = known(settings) if is_recorded else Known()
    with naming(path), path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(Collector(settings.course, batch.assignments, found).texts(batch))


def _graded(
    options: argparse.Namespace,
    course: Path,
    assignments: list[Assignment],
    takers: Sequence[Callable[[GradedSubmission], object]],
) -> Batch:
    from autograder.grading import batch
    from autograder.grading.executors import executor_of
    from autograder.grading.progress import Progress

    executor = executor_of(options.executor, options.workers or _processors())
    print(f"Grading {os.path.relpath(course)} with {executor} ...", file=sys.stderr, flush=True)
    progress = Progress("submissions")

    def graded(one: GradedSubmission) -> None:
        progress.step(f"{one.submission.student} {one.submission.assignment}")
        for take in takers:
            take(one)

    try:
        return batch.grade(
            course,
            assignments,
            executor=executor,
            cluster=options.cluster,
            fresh=options.fresh,
            allow_python=options.allow_python,
            meanwhile=_import_nbgrader,
            started=progress.begin,
            graded=graded,
        )
    finally:
        progress.close()


def _import_nbgrader() -> None:
    """Its import takes more than a second, which passes while the workers work."""
    importlib.import_module("nbgrader.converters")


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
