"""Judging an answer: read it, apply it to a copy of a warm cluster, let the cluster work, run the checks.

    runner = Runner(open_cluster("embedded"))        # boots once
    verdict = runner.judge(load("pods/first-pod"), Answer({"pod.yaml": text}))

The API server has the last word on what a manifest may say; the schemas are asked only to explain its refusals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from autograder.checks import (
    Case,
    Judged,
    Outcome,
    Result,
    Role,
    Status,
    Verdict,
    Where,
    block,
    place,
    run,
    verdict_of,
)
from autograder.clusters import Cluster, ClusterError, NotSupportedHere, apply
from autograder.clusters.kinds import UnknownKind
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.exercises.confinement import OutOfBounds, check_size, in_order, trespasses
from autograder.exercises.deadlines import TimedOut, deadline
from autograder.exercises.exercise import Answer, Exercise, Kind
from autograder.exercises.places import Places, Prepared
from autograder.manifests import Document, Manifest, Problem, check_schema, parse, parse_path, render_path

READABLE: Final = "readable"
ACCEPTED: Final = "accepted"
WHY_READABLE: Final = "Only what can be read can be sent to a cluster."
WHY_CONFINED: Final = "An answer touches what its exercise is about, and nothing else."
WHY_ACCEPTED: Final = "The API server checks every object before it stores it; what it refuses never exists."


class Unsupported(Exception):
    """The runner cannot judge answers of this kind yet."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what led to it; the audit looks at the notes."""

    verdict: Verdict
    judged: tuple[Judged, ...] = ()


class Runner:
    """Judges answers on forks of one warm cluster, which it never changes."""

    def __init__(self, cluster: Cluster) -> None:
        self._places = Places(cluster)

    def judge(self, exercise: Exercise, answer: Answer) -> Verdict:
        """The verdict on an answer.  Whatever the answer holds, this returns; only ``Unsupported`` is raised."""
        return self.judgement(exercise, answer).verdict

    def judgement(self, exercise: Exercise, answer: Answer) -> Judgement:
        """As ``judge``, with the notes of every check."""
        if exercise.kind is not Kind.MANIFEST:
            raise Unsupported(f"{exercise.id}: answers of the kind {exercise.kind.value!r} cannot be judged yet")
        if _is_blank(answer):
            return _unjudged(exercise, Status.NOT_SUBMITTED, entry(READABLE, "there is no answer yet", WHY_READABLE))
        manifests, problems = _read(exercise, answer)
        if problems:
            return _unjudged(exercise, Status.UNREADABLE, *[_of_problem(problem) for problem in problems])
        documents = in_order([document for manifest in manifests for document in manifest.documents])
        try:
            check_size(exercise, documents)
        except OutOfBounds as too_much:
            return _unjudged(exercise, Status.COULD_NOT_BE_JUDGED, entry(ACCEPTED, str(too_much), WHY_CONFINED))
        judged: list[Judged] = []
        refusals: list[Result] = []
        try:
            with deadline(self.seconds(exercise)):
                self._judge(exercise, documents, refusals, judged)
        except TimedOut:
            return _timed_out(exercise, [*refusals, *(one.result for one in judged)], self.seconds(exercise))
        except NotSupportedHere as absent:
            message = f"not run there: {absent}"
            return Judgement(_not_run(exercise, message))
        except Exception as error:  # the cluster or the setup failed: never the student's fault, and never a silent 0
            message = f"could not be judged: {type(error).__name__}: {error}"
            failure = entry(ACCEPTED, message, WHY_ACCEPTED, outcome=Outcome.COULD_NOT_BE_JUDGED)
            return _unjudged(exercise, Status.COULD_NOT_BE_JUDGED, *refusals, failure)
        return Judgement(verdict_of(exercise.id, [*refusals, *(one.result for one in judged)]), tuple(judged))

    def prepared(self, exercise: Exercise) -> Prepared:
        """The cluster with the exercise's namespaces and setup, made once for all who have the same."""
        return self._places.prepared(exercise)

    def warm_up(self, exercise: Exercise) -> None:
        """Prepare what answers to an exercise can share."""
        self._places.warm_up(exercise)

    def seconds(self, exercise: Exercise) -> float:
        """How long judging one answer may take, of wall time."""
        return self._places.seconds(exercise)

    def case(self, exercise: Exercise, documents: Sequence[Document]) -> Case:
        """A fresh copy of the prepared cluster, as the checks see it; its cluster is to be closed at the end."""
        return self._places.case(exercise, documents)

    def _judge(
        self, exercise: Exercise, documents: list[Document], refusals: list[Result], judged: list[Judged]
    ) -> None:
        case = self.case(exercise, documents)
        try:
            accepted = 0
            for document in documents:
                refused = _apply(exercise, case.cluster, document)
                refusals.extend(refused)
                accepted += not refused
            case.cluster.settle()
            if accepted:
                for one in run(exercise.checks, case, show_wanted=exercise.shows_wanted):
                    judged.append(one)
            else:
                refusals.extend(block(exercise.checks, ACCEPTED))
            if any(one.result.outcome in (Outcome.FAILED, Outcome.PARTLY) for one in judged):
                excuses = self._places.excuses(exercise, case.cluster)
                if excuses:
                    raise ClusterError("; ".join(excuses))
        finally:
            case.cluster.close()


def judge(exercise: Exercise, answer: Answer, *, cluster: Cluster) -> Verdict:
    """The verdict on one answer, on a fork of ``cluster``; for many answers keep a ``Runner``."""
    return Runner(cluster).judge(exercise, answer)


def _unjudged(exercise: Exercise, status: Status, *entries: Result) -> Judgement:
    """A verdict without points, which says why it has none."""
    results = (*entries, *block(exercise.checks, entries[-1].name))
    return Judgement(Verdict(exercise.id, status, results, exercise.points))


def _not_run(exercise: Exercise, message: str) -> Verdict:
    """The verdict on an answer for which this kind of cluster has no place."""
    entry = entry(ACCEPTED, message, WHY_ACCEPTED, outcome=Outcome.NOT_RUN_THERE)
    rest = [
        Result(check.name, check.role, Outcome.NOT_RUN_THERE, 0, 0, message, why=check.why) for check in exercise.checks
    ]
    return Verdict(exercise.id, Status.NOT_RUN_THERE, (entry, *rest), 0)


def _timed_out(exercise: Exercise, results: list[Result], seconds: float) -> Judgement:
    """A verdict that stops where the time was up; what had been judged by then stands."""
    done = {result.name for result in results}
    message = f"the judgement took longer than {seconds:g} seconds and was stopped here"
    entry = entry("in time", message, "A judgement has a limit, so that nobody waits for ever.")
    rest = block([check for check in exercise.checks if check.name not in done], entry.name)
    return Judgement(Verdict(exercise.id, Status.TIMED_OUT, (*results, entry, *rest), exercise.points))
