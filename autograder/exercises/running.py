"""Judging an answer: read it, let it act on a copy of a warm cluster, let the cluster work, run the checks.

    runner = Runner(open_cluster("embedded"))        # boots once
    verdict = runner.judge(load("pods/first-pod"), Answer({"pod.yaml": text}))

Manifests are applied, commands are run by the real kubectl, and predictions are compared with what an experiment finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from autograder.checks import (
    Case,
    CommandRun,
    Failed,
    Judged,
    Outcome,
    Program,
    Result,
    Sources,
    Status,
    Verdict,
    Where,
    block,
    run,
    verdict_of,
)
from autograder.clusters import Capability, Cluster, ClusterError, NotSupportedHere
from autograder.clusters.embedded import EmbeddedCluster
from autograder.clusters.owned import OwnedCluster
from autograder.exercises import sandbox
from autograder.exercises.applying import apply_document
from autograder.exercises.confinement import OutOfBounds, check_size
from autograder.exercises.deadlines import TimedOut, deadline
from autograder.exercises.entries import (
    ACCEPTED,
    READABLE,
    WHY_ACCEPTED,
    WHY_CONFINED,
    WHY_IN_TIME,
    WHY_RAN,
    WHY_READABLE,
    entry,
    unreadable,
)
from autograder.exercises.exercise import Answer, Exercise, Form
from autograder.exercises.places import Places, Prepared
from autograder.exercises.reading import Reading, is_blank, read
from autograder.exercises.sandbox_watch import ProgramError

if TYPE_CHECKING:
    from autograder.exercises.terminal import Terminal

#: The entry of a command that failed.
RAN: Final = "ran"
PYTHON_IS_OFF: Final = (
    "answers to this exercise are programs, which are only run if that is allowed: --allow-python, or "
    "c.Autograder.allow_python = True in nbgrader_config.py"
)


class Unsupported(Exception):
    """Answers to this exercise cannot be judged here."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and what led to it: the notes of the checks and, if it can still be looked at, the cluster.

    ``acts`` are what the answer did to the cluster, or for a prediction what the experiment did, a line each.
    """

    verdict: Verdict
    judged: tuple[Judged, ...] = ()
    cluster: Cluster | None = None
    acts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Progress:
    """What has become of an answer so far: a judgement that is cut off ends with that."""

    refusals: list[Result] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)

    @property
    def results(self) -> list[Result]:
        return [*self.refusals, *(one.result for one in self.judged)]


class Runner:
    """Judges answers on forks of one warm cluster, which it never changes.

    Programs of students are run only with ``allow_python``, and only where they can be locked in.
    """

    def __init__(self, cluster: Cluster, *, allow_python: bool = False) -> None:
        self._places = Places(cluster)
        self._allow_python = allow_python
        self._terminal: Terminal | None = None

    def judge(self, exercise: Exercise, answer: Answer) -> Verdict:
        """The verdict on an answer.  Whatever the answer holds, this returns; only ``Unsupported`` is raised."""
        return self.judgement(exercise, answer).verdict

    def judgement(self, exercise: Exercise, answer: Answer, *, until_lost: bool = False) -> Judgement:
        """As ``judge``, with the notes of every check; ``until_lost`` stops at the first check that is not passed."""
        if is_blank(exercise, answer):
            return _unjudged(exercise, Status.NOT_SUBMITTED, entry(READABLE, "there is no answer yet", WHY_READABLE))
        reading = read(exercise, answer)
        obstacle = self._obstacle(exercise, reading)
        if obstacle is not None:
            return obstacle
        progress = _Progress()
        try:
            with deadline(self.seconds(exercise)):
                cluster = self._judge(exercise, reading, progress, until_lost)
        except TimedOut:
            return _timed_out(exercise, progress.results, self.seconds(exercise))
        except NotSupportedHere as absent:
            return Judgement(_not_run(exercise, f"not run there: {absent}"))
        except Exception as error:  # the cluster or the setup failed: never the student's fault, and never a silent 0
            reason = str(error) if isinstance(error, ClusterError) else f"{type(error).__name__}: {error}"
            message = f"could not be judged: {reason}"
            failure = entry(ACCEPTED, message, WHY_ACCEPTED, outcome=Outcome.COULD_NOT_BE_JUDGED)
            return _unjudged(exercise, Status.COULD_NOT_BE_JUDGED, *progress.refusals, failure)
        results, judged = progress.results, progress.judged
        if judged:
            results += block(exercise.checks[len(judged) :], judged[-1].result.name)
        return Judgement(verdict_of(exercise.id, results), tuple(judged), cluster, tuple(progress.acts))

    def _obstacle(self, exercise: Exercise, reading: Reading) -> Judgement | None:
        """Why an answer is not tried out at all; None if nothing speaks against it."""
        if reading.problems:
            return _unjudged(exercise, Status.UNREADABLE, *map(unreadable, reading.problems))
        try:
            check_size(exercise, reading.documents)
        except OutOfBounds as too_much:
            return _unjudged(exercise, Status.COULD_NOT_BE_JUDGED, entry(ACCEPTED, str(too_much), WHY_CONFINED))
        if exercise.form is Form.PROGRAM and (why := sandbox.why_not() if self._allow_python else PYTHON_IS_OFF):
            failure = entry(READABLE, why, WHY_READABLE, outcome=Outcome.COULD_NOT_BE_JUDGED)
            return _unjudged(exercise, Status.COULD_NOT_BE_JUDGED, failure)
        return None

    def prepared(self, exercise: Exercise) -> Prepared:
        """The cluster with the exercise's namespaces and setup, made once for all who have the same."""
        return self._places.prepared(exercise)

    def warm_up(self, exercise: Exercise) -> None:
        """Prepare what answers to an exercise can share."""
        self._places.warm_up(exercise)

    def seconds(self, exercise: Exercise) -> float:
        """How long judging one answer may take, of wall time."""
        return self._places.seconds(exercise)

    def case(self, exercise: Exercise, reading: Reading | None = None) -> Case:
        """A fresh copy of the prepared cluster, as the checks see it; its cluster is to be closed at the end."""
        return self._places.case(exercise, reading.documents if reading else ())

    def _judge(self, exercise: Exercise, reading: Reading, progress: _Progress, until_lost: bool) -> Cluster:
        """Let the answer act and judge it; the cluster in which it did."""
        if exercise.form is Form.PREDICTION:
            return self._compare(exercise, reading, progress)
        if reading.lines:
            self._places.need(Capability.COMMANDS)
            if any(command.verb == "exec" for line in reading.lines for command in line.commands):
                self._places.need(Capability.EXEC)
        case = self.case(exercise, reading)
        try:
            taken = self._apply(exercise, reading, case.cluster, progress)
            commands = self._type(exercise, reading, case.cluster, progress) if reading.lines else []
            if reading.program or taken or not all(command.code for command in commands):
                case = replace(case, commands=commands, program=_program(reading))
                self._look(exercise, case, progress, until_lost)
            else:
                by = progress.refusals[-1].name if progress.refusals else ACCEPTED
                progress.refusals.extend(block(exercise.checks, by))
        finally:
            case.cluster.close()
        return case.cluster

    def _apply(self, exercise: Exercise, reading: Reading, cluster: Cluster, progress: _Progress) -> bool:
        """Apply the manifests of an answer, and let the cluster work on them; whether any of them was taken."""
        taken = False
        for document in reading.documents:
            refused = apply_document(exercise, cluster, document)
            progress.refusals.extend(refused)
            progress.acts.append(f"apply {document.kind} {document.name}{': refused' if refused else ''}")
            taken |= not refused
        cluster.settle()
        return taken

    def _type(self, exercise: Exercise, reading: Reading, cluster: Cluster, progress: _Progress) -> list[CommandRun]:
        """Run the command lines of an answer, and note which failed."""
        commands = self._commands(exercise, reading, cluster)
        progress.acts.extend(f"{command}: exit code {command.code}" for command in commands)
        progress.refusals.extend(_failed(command) for command in commands if command.code)
        return commands

    def _look(self, exercise: Exercise, case: Case, progress: _Progress, until_lost: bool) -> None:
        """Run the checks on what the answer has made."""
        for one in run(exercise.checks, case, show_wanted=exercise.shows_wanted):
            progress.judged.append(one)
            case.leave()
            if until_lost and one.result.outcome is not Outcome.PASSED:
                break

    def _compare(self, exercise: Exercise, reading: Reading, progress: _Progress) -> Cluster:
        """Judge predictions by what the experiment found."""
        experimented = self._places.experimented(exercise)
        progress.acts.extend(experimented.steps)
        sources = Sources((), exercise.namespaces[0])
        case = Case(
            experimented.cluster, sources, exercise.namespaces[0], exercise.values,
            predictions=reading.predictions, outcome=experimented.outcome,
        )  # fmt: skip
        progress.judged.extend(run(exercise.checks, case, show_wanted=exercise.shows_wanted))
        return experimented.cluster

    def _commands(self, exercise: Exercise, reading: Reading, cluster: Cluster) -> list[CommandRun]:
        """Run the command lines of an answer, in a cluster where they can do no harm to anybody else."""
        assert isinstance(cluster, EmbeddedCluster | OwnedCluster)
        if self._terminal is None or not self._terminal.usable:
            from autograder.exercises.terminal import Terminal  # an HTTP server: answers that are manifests need none

            self._terminal = Terminal()
        runs = self._terminal.run(
            cluster, reading.lines, reading.files, namespace=exercise.namespaces[0], source=reading.source,
            pods=exercise.bounds.pods, seconds=self.seconds(exercise),
        )  # fmt: skip
        return list(runs)


def judge(exercise: Exercise, answer: Answer, *, cluster: Cluster) -> Verdict:
    """The verdict on one answer, on a fork of ``cluster``; for many answers keep a ``Runner``."""
    return Runner(cluster).judge(exercise, answer)


def _program(reading: Reading) -> Program | None:
    """The program of an answer, to be called; whatever is wrong with it fails the check that calls it."""
    if not reading.program:
        return None

    def results(function: str, calls: Sequence[Sequence[Any]]) -> list[Any]:
        try:
            return sandbox.run(reading.program, function, calls)
        except ProgramError as error:
            place = Where(reading.source, error.line, 1) if error.line else None
            raise Failed(f"the program failed: {error}", where=place) from error

    return results


def _failed(command: CommandRun) -> Result:
    said = command.err.strip() or command.out.strip() or f"exit code {command.code}"
    return entry(RAN, f"`{command}` failed: {said}", WHY_RAN, where=command.where)


def _unjudged(exercise: Exercise, status: Status, *entries: Result) -> Judgement:
    """A verdict without points, which says why it has none."""
    results = (*entries, *block(exercise.checks, entries[-1].name))
    return Judgement(Verdict(exercise.id, status, results, exercise.points))


def _not_run(exercise: Exercise, message: str) -> Verdict:
    """The verdict on an answer for which this kind of cluster has no place."""
    first = entry(ACCEPTED, message, WHY_ACCEPTED, outcome=Outcome.NOT_RUN_THERE)
    rest = [
        Result(check.name, check.role, Outcome.NOT_RUN_THERE, 0, 0, message, why=check.why) for check in exercise.checks
    ]
    return Verdict(exercise.id, Status.NOT_RUN_THERE, (first, *rest), 0)


def _timed_out(exercise: Exercise, results: list[Result], seconds: float) -> Judgement:
    """A verdict that stops where the time was up; what had been judged by then stands."""
    done = {result.name for result in results}
    message = f"the judgement took longer than {seconds:g} seconds and was stopped here"
    last = entry("in time", message, WHY_IN_TIME)
    rest = block([check for check in exercise.checks if check.name not in done], last.name)
    return Judgement(Verdict(exercise.id, Status.TIMED_OUT, (*results, last, *rest), exercise.points))
