"""The command ``autograder explain``: how one verdict came about, step by step, for whoever doubts it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, TextIO

from autograder.checks.rendering import lines_of, summary
from autograder.clusters import ClusterError, open_cluster
from autograder.exercises import BadExercise, Kind, Runner
from autograder.grading.assignment import BadCourse, find_course
from autograder.grading.configuration import configuration
from autograder.grading.disk import in_words
from autograder.grading.ledger import FILE as LEDGER
from autograder.grading.ledger import Ledger
from autograder.grading.replaying import (
    BadBundle,
    Bundle,
    Handed,
    Replay,
    differences,
    digests,
    handed_in,
    read_bundle,
    replay,
    versions,
    write_bundle,
)

#: The verdict is the one that was given; it is another one; it cannot be said.
SAME, OTHER, NOT_EXPLAINED = 0, 1, 2
#: Lines that are shown of an answer and of a timeline, and characters of a line; the bundle has all.
ANSWER_LINES: Final = 200
TIMELINE_LINES: Final = 60
WIDTH: Final = 160


def explain(options: argparse.Namespace) -> int:
    """Print how a verdict came about; one of the codes above."""
    try:
        if options.from_:
            return _reproduce(options.from_, options.course, options.cluster, options.allow_python)
        if not options.student or not options.exercise:
            raise BadCourse("name a student and an exercise, or a bundle with --from")
        course = find_course(options.course)
        allowed = options.allow_python or configuration(course).allow_python
        runner = Runner(open_cluster(options.cluster), allow_python=allowed)
        replayed = replay(runner, handed_in(course, options.student, options.exercise))
        _print(told(replayed))
        same = _compare_with_ledger(course, replayed)
        if options.bundle:
            write_bundle(options.bundle, replayed)
            _print([f"{options.bundle} reproduces this elsewhere: autograder explain --from {options.bundle.name}"])
    except (BadCourse, BadExercise, BadBundle, ClusterError, OSError) as error:
        _print([f"autograder explain: {in_words(error)}"], sys.stderr)
        return NOT_EXPLAINED
    return SAME if same else OTHER


def told(replayed: Replay) -> Iterator[str]:
    """The whole story, a line each."""
    handed, judgement = replayed.handed, replayed.judgement
    yield f"{handed.exercise.id} ({handed.exercise.title}), as {handed.student} handed it in for {handed.assignment}"
    yield ""
    yield from _answer(handed)
    yield ""
    predicted = handed.exercise.kind is Kind.PREDICTION
    yield "2. What the experiment did" if predicted else "2. What the answer did"
    yield from _indented(_counted(judgement.acts) or ["nothing"])
    yield ""
    yield "3. The checks, in order"
    steps = {one.result.name: one.notes.steps for one in judgement.judged}
    for result in replayed.verdict.criteria:
        yield from _indented(list(lines_of(result)))
        if steps.get(result.name):
            yield from _indented(["tried out, on a copy of the cluster:", *_indented(_counted(steps[result.name]))], 7)
    yield ""
    yield "4. What the cluster wrote since then: revision, time, by whom, what"
    yield from _indented(replayed.timeline[:TIMELINE_LINES] or ["nothing"])
    if len(replayed.timeline) > TIMELINE_LINES:
        yield f"   ... and {len(replayed.timeline) - TIMELINE_LINES} more, which are in the bundle"
    yield ""
    yield f"The verdict: {summary(replayed.verdict)}"


def _answer(handed: Handed) -> Iterator[str]:
    yield "1. The answer as it was read"
    if handed.exercise.values:
        values = ", ".join(f"{name} {value}" for name, value in handed.exercise.values.items())
        whose = "drawn for this student" if handed.individual and handed.exercise.is_individual else "for everybody"
        yield f"   values of the task, {whose}: {values}"
    yield from (f"   put right: {note}" for note in handed.notes)
    for name, content in handed.answer.files.items():
        lines = (content if isinstance(content, str) else content.decode("utf-8", "replace")).splitlines()
        yield f"   {name}"
        yield from (f"   {number:4} | {line}" for number, line in enumerate(lines[:ANSWER_LINES], 1))
        if len(lines) > ANSWER_LINES:
            yield f"        ... and {len(lines) - ANSWER_LINES} more lines"
    if not handed.answer.files:
        yield "   there is none"


def _reproduce(path: Path, course: Path | None, cluster: str, allow_python: bool) -> int:
    """Judge what a bundle holds, and say whether the verdict is the one in it."""
    exercises = find_course(course) / "exercises" if course else None
    bundle = read_bundle(path, exercises)
    replayed = replay(Runner(open_cluster(cluster), allow_python=allow_python), bundle.handed)
    _print(told(replayed))
    changed = differences(bundle.verdict, replayed.verdict.to_json(complete=True))
    _print(["", "The same verdict as in the bundle." if not changed else "Another verdict than in the bundle:"])
    _print(_indented(changed))
    _print(_indented(_otherwise(bundle)))
    return SAME if not changed else OTHER


def _otherwise(bundle: Bundle) -> Iterator[str]:
    """What is not as it was where the bundle was written."""
    here = digests(bundle.handed)
    if here["exercise"] != bundle.digests.get("exercise"):
        yield "the exercise is another version than the one that was judged by"
    if here["grader"] != bundle.digests.get("grader"):
        yield "the program is another version than the one that judged"
    for name, version in versions().items():
        if bundle.versions.get(name) != version:
            yield f"{name} is {version} here, and was {bundle.versions.get(name, 'not noted')}"


def _compare_with_ledger(course: Path, replayed: Replay) -> bool:
    """Say whether the verdict is the one that was given last; it is if none was ever given."""
    handed, rows = replayed.handed, []
    if (course / LEDGER).is_file():
        with Ledger.open(course) as ledger:
            rows = ledger.history(handed.student, handed.exercise.id)
    if not rows:
        _print(["No verdict on it is in the ledger yet."])
        return True
    last = rows[-1]
    changed = differences(last.entry.verdict.to_json(complete=True), replayed.verdict.to_json(complete=True))
    if not changed:
        _print([f"It is the verdict that was given on {last.time}."])
        return True
    here, then = digests(handed), last.entry.key
    reasons = [
        f"the {what} is another one" for what, now, before in (
            ("answer", here["answer"], then.answer), ("exercise", here["exercise"], then.exercise),
            ("program", here["grader"], then.grader),
        ) if now != before
    ]  # fmt: skip
    _print([f"It is not the verdict that was given on {last.time} ({'; '.join(reasons) or 'for no known reason'}):"])
    _print(_indented(changed))
    return False


def _counted(lines: Sequence[str]) -> list[str]:
    """The lines, those that follow one another and differ only in a number as one."""
    groups = [list(group) for _, group in groupby(lines, key=lambda line: line.rstrip("0123456789"))]
    return [
        group[0] if len(group) == 1 else f"{group[0]} ... {group[-1].rpartition(' ')[2]} ({len(group)} times)"
        for group in groups
    ]


def _indented(lines: Iterator[str] | Sequence[str], by: int = 3) -> list[str]:
    return [f"{' ' * by}{line}" for line in lines]


def _print(lines: Iterator[str] | Sequence[str], file: TextIO | None = None) -> None:
    """Print lines, of which a terminal obeys none: a student's answer may hold anything."""
    for line in lines:
        shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line.replace("\t", "    "))
        print(shown if file or len(shown) <= WIDTH else f"{shown[:WIDTH]} ...", file=file)
