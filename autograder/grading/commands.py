"""The command ``autograder grade``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from autograder.grading.assignment import Assignment
    from autograder.grading.batch import Batch
    from autograder.grading.configuration import Configuration
    from autograder.grading.engine import GradedSubmission

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
    from autograder.grading import autograded, gradebook, roster
    from autograder.grading.assignment import BadCourse, find_course, load_assignments
    from autograder.grading.configuration import configuration
    from autograder.grading.executors import BadExecutor
    from autograder.grading.table import lines

    begin = time.monotonic()
    try:
        course = find_course(options.course)
        settings = configuration(course)
        batch = _graded(options, course, load_assignments(course, options.assignment))
        print("\n".join(lines(batch)), flush=True)
        is_recorded = False
        try:
            gradebook.record(settings, batch)
            is_recorded = True
        finally:
            if options.json:
                _write_results(options.json, settings, batch, is_recorded)
        autograded.write(course, batch)
        for remark in roster.remarks(settings, batch):
            print(remark)
    except (BadCourse, BadExecutor, BadExercise, ClusterError, gradebook.GradebookError, OSError) as error:
        print(f"autograder grade: {error}", file=sys.stderr)
        return NOT_DONE
    except KeyboardInterrupt:
        print("autograder grade: interrupted; grade again to go on", file=sys.stderr)
        return INTERRUPTED
    count = sum(graded.handed_in for graded in batch.submissions)
    print(
        f"\n{count} submissions of {len(batch.students)} students graded in {time.monotonic() - begin:.1f} s "
        f"({_origins(batch)}); "
        f"scores are in {os.path.relpath(course / 'gradebook.db')}, graded notebooks beside it in autograded/"
    )
    return ALL_JUDGED if all(map(_is_judged, batch.submissions)) else SOME_NOT_JUDGED


def _write_results(path: Path, settings: Configuration, batch: Batch, is_recorded: bool) -> None:
    """Write the document of results, also if the gradebook would not take them; docs/results.md describes it."""
    from autograder.grading.reports.collecting import Collector
    from autograder.grading.reports.recorded import Known, known

    found = known(settings) if is_recorded else Known()
    results = Collector(settings.course, batch.assignments, found).of_batch(batch)
    path.write_text(results.dumps(), encoding="utf-8")


def _graded(options: argparse.Namespace, course: Path, assignments: list[Assignment]) -> Batch:
    from autograder.grading import batch
    from autograder.grading.executors import executor_of
    from autograder.grading.progress import Progress

    executor = executor_of(options.executor, options.workers or _processors())
    print(f"Grading {os.path.relpath(course)} with {executor} ...", file=sys.stderr, flush=True)
    progress = Progress("submissions")
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
            graded=lambda one: progress.step(f"{one.submission.student} {one.submission.assignment}"),
        )
    finally:
        progress.close()


def _import_nbgrader() -> None:
    """Its import takes more than a second, which passes while the workers work."""
    importlib.import_module("nbgrader.converters")


def _origins(batch: Batch) -> str:
    """How many answers were judged, and how many were known."""
    from autograder.grading.engine import Origin

    found = [one.origin for graded in batch.submissions for one in graded.graded]
    judged, remembered = found.count(Origin.JUDGED), found.count(Origin.REMEMBERED)
    return f"{judged} answers judged" + (f", {remembered} taken from equal ones" if remembered else "")


def _is_judged(graded: GradedSubmission) -> bool:
    """Whether nobody has to look at a submission; what was not handed in can be looked at by nobody."""
    from autograder.checks import Status

    settled = (Status.GRADED, Status.NOT_SUBMITTED)
    return not graded.was_tampered_with and all(one.verdict.status in settled for one in graded.graded)


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
