"""The command ``autograder regrade``: after an exercise was mended, whose points change, before anything is written.

Answers are judged by the exercise as it is now and compared with what was said of them last, which the ledger knows.
With ``--write`` the gradebook gets the new points, and the ledger has the new verdicts beside the old ones.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from autograder.checks.verdict import Verdict
from autograder.clusters import ClusterError
from autograder.exercises import BadExercise
from autograder.grading import recording
from autograder.grading.assignment import BadCourse, Notebook, Task, find_course
from autograder.grading.batch import Grader, Work
from autograder.grading.configuration import configuration
from autograder.grading.disk import in_words
from autograder.grading.due_dates import moment
from autograder.grading.executors import BadExecutor, executor_of
from autograder.grading.gradebook_rows import GradebookError
from autograder.grading.graded import Graded, GradedNotebook, GradedSubmission
from autograder.grading.ledger import FILE, Ledger, Row
from autograder.grading.memory import Memory
from autograder.grading.replaying import differences, task_of
from autograder.grading.submissions import look_through

#: Nobody's points change, or they were written; somebody's change, and nothing was written; it could not be done.
DONE, CHANGES, NOT_DONE = 0, 1, 2
#: Letters of a digest that tell a version of an exercise from others.
SHORTEST: Final = 6

NEW_ANSWER: Final = "has handed in another answer since; grade the assignment"
NEVER_GRADED: Final = "was never graded; grade the assignment"
REST_UNKNOWN: Final = "has answers in the same notebook that were never graded; grade the assignment"

_SUMS_AND_WORDS: Final = re.compile(r"(earned|possible): |[^:]+: says ")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d.*")

Json = dict[str, Any]


@dataclass(frozen=True)
class Regraded:
    """One student's answer: what was said of it last, and what is said of it now."""

    student: str
    before: Row
    now: Graded
    submission: GradedSubmission

    @property
    def was(self) -> Verdict:
        """The verdict that was given last."""
        return self.before.entry.verdict

    @property
    def scores(self) -> tuple[float | None, float | None]:
        """Points before and now; None for what was not judged."""
        return Graded(self.now.task, self.was).score, self.now.score

    @property
    def changed(self) -> list[str]:
        """How the verdicts differ, a line each."""
        return differences(self.was.to_json(complete=True), self.now.verdict.to_json(complete=True))

    @property
    def reasons(self) -> list[str]:
        """What is another one than when the verdict was given."""
        then, here = self.before.entry.key, self.now.key
        assert here is not None
        pairs = (("exercise", then.exercise, here.exercise), ("program", then.grader, here.grader),
                 ("kind of cluster", then.cluster, here.cluster))  # fmt: skip
        return [what for what, before, now in pairs if before != now]


@dataclass
class Outcome:
    """What came of a regrade: the answers that were judged again, and those left alone with the reason."""

    exercise: str
    since: str
    regraded: list[Regraded] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    written: bool = False

    @property
    def with_other_points(self) -> list[Regraded]:
        """Those whose points change."""
        return [one for one in self.regraded if one.scores[0] != one.scores[1]]

    @property
    def with_other_words(self) -> list[Regraded]:
        """Those who keep their points and get to read something else."""
        return [one for one in self.regraded if one.scores[0] == one.scores[1] and one.changed]


def regrade(options: argparse.Namespace) -> int:
    """Judge an exercise's answers again, show whose points change, and write it if asked to; one of the codes above."""
    try:
        course = find_course(options.course)
        if not (course / FILE).is_file():
            raise BadCourse(f"{course / FILE} is not there: nothing was graded yet (autograder grade)")
        with Ledger.open(course) as ledger:
            outcome = judged_again(
                course, options.exercise, ledger, options.since, options.cluster, options.workers, options.allow_python
            )
            if ledger.trouble:
                raise BadCourse(f"{course / FILE} cannot be used: {ledger.trouble}")
            if options.write:
                write(course, outcome, ledger)
    except (
        BadCourse, BadExercise, BadExecutor, ClusterError, GradebookError, OSError,
    ) as error:  # fmt: skip
        print(f"autograder regrade: {in_words(error)}", file=sys.stderr)
        return NOT_DONE
    print(json.dumps(as_json(outcome), indent=2) if options.json else "\n".join(table(outcome)))
    return CHANGES if outcome.with_other_points and not outcome.written else DONE


def judged_again(
    course: Path,
    exercise: str,
    ledger: Ledger,
    since: str = "",
    cluster: str = "embedded",
    workers: int | None = None,
    allow_python: bool = False,
) -> Outcome:
    """Judge again what was given a verdict from ``since`` on; raises ``BadCourse``, ``BadExercise``, ``ClusterError``.

    ``since`` is a date, a time, or the beginning of the digest of a version of the exercise.
    """
    assignment, _, task = task_of(course, exercise)
    rows = [row for row in ledger.rows(exercise=exercise) if row.entry.assignment == assignment.name]
    start = first_time(since, rows)
    last = {row.entry.student: row for row in rows if row.entry.task == task.check_cell}
    outcome = Outcome(exercise, start)
    found = [one for one in look_through(course).submissions(assignment) if one.exists]
    due = [one for one in found if one.student in last and last[one.student].time >= start]
    if not start:
        outcome.skipped |= {one.student: NEVER_GRADED for one in found if one.student not in last}
    executor = executor_of("local", workers or os.cpu_count() or 1)
    items = [Work(one, task.check_cell) for one in due]
    with Memory(course) as memory:
        grader = Grader(course, cluster, [assignment], memory, allow_python)
        grader.engine  # noqa: B018  open and warm, before workers are forked from this process
        ended = executor.each(grader, items, seconds=grader.seconds, is_spent=grader.is_spent)
        results = dict(ended)
    for index, submission in enumerate(due):
        again = grader.ended(items[index], results[index])
        row, now = last[submission.student], again.graded[0]
        if now.key is not None and now.key.answer == row.entry.key.answer:
            outcome.regraded.append(Regraded(submission.student, row, now, again))
        else:
            outcome.skipped[submission.student] = NEW_ANSWER
    return outcome


def write(course: Path, outcome: Outcome, ledger: Ledger) -> None:
    """Write what is new into the gradebook, the graded notebooks and the ledger, where the old verdicts stay."""
    assignment, notebook, _ = task_of(course, outcome.exercise)
    news: list[GradedSubmission] = []
    for one in [*outcome.with_other_points, *outcome.with_other_words]:
        whole = _whole(one, notebook, ledger.latest(one.student, assignment.name))
        if whole is None:
            outcome.skipped[one.student] = REST_UNKNOWN
            outcome.regraded.remove(one)
        else:
            news.append(whole)
    if news:
        recording.record(configuration(course), [assignment], news)
    ledger.add(entry for one in outcome.regraded for entry in one.submission.entries())
    outcome.written = True


def table(outcome: Outcome) -> Iterator[str]:
    """The outcome as people read it."""
    changed = outcome.with_other_points
    if changed:
        width = max(len(one.student) for one in changed)
        yield f"{'student':{width}}  {'before':>8}  {'now':>8}  what"
        for one in changed:
            before, now = (_points(score, one.now.task) for score in one.scores)
            first, *rest = _criteria(one) or ["the sum of the checks"]
            yield f"{one.student:{width}}  {before:>8}  {now:>8}  {first}"
            yield from (f"{'':{width}}  {'':8}  {'':8}  {line}" for line in rest)
        yield ""
    reasons = sorted({reason for one in outcome.regraded for reason in one.reasons})
    why = f" (another {' and another '.join(reasons)} than then)" if reasons else ""
    yield (
        f"{outcome.exercise}: {len(outcome.regraded)} answers judged again{why}: the points of {len(changed)} change, "
        f"{len(outcome.with_other_words)} get other words for the same points"
    )
    for student, reason in outcome.skipped.items():
        yield f"left alone: {student} {reason}"
    if outcome.written:
        yield "Written: gradebook, graded notebooks and ledger, which keeps the verdicts of before."
    elif changed:
        yield "Nothing was written; --write does it."


def as_json(outcome: Outcome) -> Json:
    """The outcome for programs."""
    return {
        "exercise": outcome.exercise, "since": outcome.since, "judged": len(outcome.regraded),
        "changed": [_as_json(one) for one in outcome.with_other_points],
        "other_words": [one.student for one in outcome.with_other_words],
        "left_alone": outcome.skipped, "written": outcome.written,
    }  # fmt: skip


def _as_json(one: Regraded) -> Json:
    before, now = one.scores
    return {
        "student": one.student,
        "before": {"points": before, "status": one.was.status.value, "given": one.before.time,
                   "exercise_digest": one.before.entry.key.exercise},
        "now": {"points": now, "status": one.now.verdict.status.value,
                "exercise_digest": one.now.key.exercise if one.now.key else ""},
        "criteria": _criteria(one), "reasons": one.reasons,
    }  # fmt: skip


def _criteria(one: Regraded) -> list[str]:
    """What became of each check whose points are others, or of the status; what is only said otherwise is left out."""
    return [line for line in one.changed if not _SUMS_AND_WORDS.match(line)]


def _points(score: float | None, task: Task) -> str:
    return "-" if score is None else f"{score:g}/{task.points:g}"


def first_time(since: str, rows: Sequence[Row]) -> str:
    """The time from which verdicts are looked at, as the ledger writes times; '' for all.  Raises ``BadCourse``."""
    if not since:
        return ""
    if _DATE.fullmatch(since):
        begin = moment(since if ":" in since else f"{since} 00:00")
        if begin is None:
            raise BadCourse(f"{since!r} is no time; write it as 2026-11-20 or 2026-11-20 12:00 Europe/Berlin")
        return f"{begin:%Y-%m-%dT%H:%M:%SZ}"
    known = {row.entry.key.exercise: row.time for row in reversed(rows)}
    found = sorted(time for digest, time in known.items() if digest.startswith(since.lower()))
    if len(since) < SHORTEST or not found:
        versions = ", ".join(f"{digest[:12]} ({time})" for digest, time in known.items()) or "none"
        raise BadCourse(f"{since!r} is neither a date nor a version of the exercise in the ledger; it has {versions}")
    return found[0]


def _whole(one: Regraded, notebook: Notebook, latest: Sequence[Row]) -> GradedSubmission | None:
    """The submission with the new verdict among the others that were given last; None if one of them is not known."""
    told = {row.entry.task: row.entry for row in latest}
    part = one.submission.notebooks[0]
    graded: list[Graded] = []
    for task in notebook.tasks:
        if task.check_cell == one.now.task.check_cell:
            graded.append(one.now)
        elif task.check_cell in told:
            entry = told[task.check_cell]
            graded.append(Graded(task, entry.verdict, entry.answer, entry.key, entry.drawn))
        else:
            return None
    whole = GradedNotebook(part.notebook, part.cells, tuple(graded), part.notes, part.seconds)
    return GradedSubmission(one.submission.submission, (whole,))
