"""The command ``autograder grade``."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from autograder.grading.assignment import Assignment
    from autograder.grading.batch import Batch
    from autograder.grading.engine import GradedSubmission

#: Every answer was judged, or has a status that is the student's to change: unreadable, not submitted.
ALL_SETTLED: Final = 0
#: An answer could not be judged or took too long; or the course, the cluster or the gradebook could not be used.
NOT_SETTLED: Final = 2
#: As shells say it of a program that ended at Ctrl-C.
INTERRUPTED: Final = 130


def grade(options: argparse.Namespace) -> int:
    """Grade what was handed in, print the table, fill the gradebook; returns one of the codes above."""
    from autograder.clusters import ClusterError
    from autograder.exercises import BadExercise
    from autograder.grading import autograded, gradebook
    from autograder.grading.assignment import BadCourse, find_course, load_assignments
    from autograder.grading.configuration import configuration
    from autograder.grading.table import lines

    begin = time.monotonic()
    try:
        course = find_course(options.course)
        settings = configuration(course)
        batch = _graded(options, course, load_assignments(course, options.assignment))
        print("\n".join(lines(batch)), flush=True)
        if options.json:
            options.json.write_text(json.dumps(as_json(batch), indent=2) + "\n", encoding="utf-8")
        gradebook.record(settings, batch)
        autograded.write(course, batch)
    except (BadCourse, BadExercise, ClusterError, gradebook.GradebookError, OSError) as error:
        print(f"autograder grade: {error}", file=sys.stderr)
        return NOT_SETTLED
    except KeyboardInterrupt:
        print("autograder grade: interrupted; grade again to go on", file=sys.stderr)
        return INTERRUPTED
    count = sum(graded.handed_in for graded in batch.submissions)
    print(
        f"\n{count} submissions of {len(batch.students)} students graded in {time.monotonic() - begin:.1f} s; "
        f"scores are in {os.path.relpath(course / 'gradebook.db')}, graded notebooks beside it in autograded/"
    )
    return ALL_SETTLED if _is_settled(batch) else NOT_SETTLED


def as_json(batch: Batch) -> dict[str, Any]:
    """The verdicts of a class: for each submission, in order, its notebooks, and for each of these its answers."""
    return {"submissions": [_submission_json(graded) for graded in batch.submissions]}


def _submission_json(graded: GradedSubmission) -> dict[str, Any]:
    return {
        "student": graded.submission.student,
        "assignment": graded.submission.assignment,
        "handed_in": graded.handed_in,
        "seconds": round(graded.seconds, 3),
        "notebooks": [
            {
                "notebook": notebook.notebook,
                "notes": [note.text for note in notebook.notes],
                "answers": [{"score": one.score, **one.verdict.to_json()} for one in notebook.graded],
            }
            for notebook in graded.notebooks
        ],
    }


def _graded(options: argparse.Namespace, course: Path, assignments: list[Assignment]) -> Batch:
    from autograder.grading import batch
    from autograder.grading.progress import Progress

    workers = options.workers or _processors()
    print(f"Grading {os.path.relpath(course)} with {workers} workers ...", file=sys.stderr, flush=True)
    progress = Progress("submissions")
    try:
        return batch.grade(
            course,
            assignments,
            workers=workers,
            cluster=options.cluster,
            meanwhile=_import_nbgrader,
            started=progress.begin,
            graded=lambda submission: progress.step(f"{submission.student} {submission.assignment}"),
        )
    finally:
        progress.close()


def _import_nbgrader() -> None:
    """Its import takes more than a second, which passes while the workers work."""
    importlib.import_module("nbgrader.converters")


def _is_settled(batch: Batch) -> bool:
    from autograder.checks import Status

    settled = (Status.GRADED, Status.NOT_SUBMITTED, Status.UNREADABLE)
    return all(one.verdict.status in settled for graded in batch.submissions for one in graded.graded)


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
