"""Whether one exercise gives one verdict on two clusters, criterion by criterion, for every answer its author wrote.

A criterion that a cluster cannot answer ("not run there") says nothing and is no difference.  Differences that are
known and right stand in ``parity.yaml`` beside the exercises, each with its reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from autograder.checks import Outcome, Result, Status, Verdict
from autograder.exercises.exercise import Answer, Exercise
from autograder.exercises.running import Runner

FILE: Final = "parity.yaml"
#: The criterion of differences that are about the answer as a whole.
WHOLE: Final = "status"


class BadAcceptance(ValueError):
    """The file of accepted differences cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What one criterion (or ``status``) of one answer says on the two clusters."""

    exercise: str
    answer: str
    criterion: str
    here: str
    there: str
    message: str = ""

    def __str__(self) -> str:
        text = f"{self.answer}: {self.criterion}: {self.here} here, {self.there} there"
        return f"{text} ({self.message})" if self.message else text


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A difference that is known and right; without an answer or criterion, any of the exercise's."""

    exercise: str
    reason: str
    answer: str = ""
    criterion: str = ""

    def covers(self, difference: Difference) -> bool:
        """Whether this is the difference that is meant."""
        return (
            self.exercise == difference.exercise
            and self.answer in ("", difference.answer)
            and self.criterion in ("", difference.criterion)
        )


@dataclass(slots=True)
class Comparison:
    """What the comparison of one exercise found."""

    exercise: str
    answers: int = 0
    compared: int = 0  #: criteria that both clusters judged
    not_run: int = 0  #: criteria that one of them could not answer
    differences: list[Difference] = field(default_factory=list)
    seconds: float = 0


def compare(exercise: Exercise, here: Runner, there: Runner, mutants: int | None = None) -> Comparison:
    """Judge every answer of an exercise on both clusters; or, with a number of ``mutants``, a sample of them."""
    begin = time.perf_counter()
    found = Comparison(exercise.id)
    for name, text in answers(exercise) if mutants is None else sample(exercise, mutants):
        file = name.partition("/")[2]  # its ending says how the answer is written, which need not be as the solution is
        answer = Answer({file: text}) if file else exercise.answer(text)
        found.answers += 1
        _compare(found, name, here.judge(exercise, answer), there.judge(exercise, answer))
    found.seconds = time.perf_counter() - begin
    return found


def answers(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """The answers that an exercise has of its author: right ones first."""
    yield "solution", exercise.solution
    for folder, texts in (("accepted", exercise.accepted), ("mutants", exercise.mutants)):
        for name, text in texts.items():
            yield f"{folder}/{name}", text


def sample(exercise: Exercise, mutants: int) -> Iterator[tuple[str, str]]:
    """The solution and at most so many wrong answers, taken evenly from all that there are."""
    yield "solution", exercise.solution
    names = list(exercise.mutants)
    count = min(mutants, len(names))
    for number in range(count):
        name = names[number * len(names) // count]
        yield f"mutants/{name}", exercise.mutants[name]


def read_acceptances(path: Path) -> list[Acceptance]:
    """The accepted differences of a file; none if there is no file.  Raises ``BadAcceptance``."""
    if not path.is_file():
        return []
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadAcceptance(f"{path}: {error}") from error
    if not isinstance(entries, list):
        raise BadAcceptance(f"{path}: write a list of differences")
    return [_acceptance(path, number, entry) for number, entry in enumerate(entries, 1)]


def split(
    found: Sequence[Difference], acceptances: Sequence[Acceptance]
) -> tuple[list[Difference], list[tuple[Difference, Acceptance]]]:
    """Differences that nobody has accepted, and those that somebody has, with the reason."""
    open_ones: list[Difference] = []
    accepted: list[tuple[Difference, Acceptance]] = []
    for difference in found:
        known = next((one for one in acceptances if one.covers(difference)), None)
        if known is None:
            open_ones.append(difference)
        else:
            accepted.append((difference, known))
    return open_ones, accepted


def _compare(found: Comparison, answer: str, here: Verdict, there: Verdict) -> None:
    if Status.NOT_RUN_THERE in (here.status, there.status):
        found.not_run += len(here.criteria)
        return
    unjudged = Status.COULD_NOT_BE_JUDGED in (here.status, there.status)
    if here.status is not there.status:
        reason = next((one.message for one in there.criteria if one.outcome is not Outcome.PASSED), "")
        found.differences.append(
            Difference(found.exercise, answer, WHOLE, here.status.value, there.status.value, reason)
        )  # fmt: skip
        if unjudged:
            return
    theirs = {result.name: result for result in there.criteria}
    for mine in here.criteria:
        other = theirs.get(mine.name)
        if other is None:
            found.differences.append(Difference(found.exercise, answer, mine.name, _said(mine), "not judged"))
        elif Outcome.NOT_RUN_THERE in (mine.outcome, other.outcome):
            found.not_run += 1
        else:
            found.compared += 1
            if _said(mine) != _said(other):
                found.differences.append(
                    Difference(found.exercise, answer, mine.name, _said(mine), _said(other), other.message)
                )  # fmt: skip


def _said(result: Result) -> str:
    """Outcome and points, which is what a student gets; texts may differ."""
    points = f", {result.earned:g} of {result.possible:g}" if result.possible or result.earned else ""
    return f"{result.outcome.value}{points}"


def _acceptance(path: Path, number: int, entry: Any) -> Acceptance:
    wrong = f"{path}: entry {number}: "
    if not isinstance(entry, Mapping) or not all(isinstance(value, str) for value in entry.values()):
        raise BadAcceptance(
            f"{wrong}write a map of exercise, reason and, if only these are meant, answer and criterion"
        )
    unknown = entry.keys() - {"exercise", "answer", "criterion", "reason"}
    if unknown or not entry.get("exercise") or not entry.get("reason", "").strip():
        said = f"{', '.join(sorted(unknown))} is not known" if unknown else "exercise and reason are needed"
        raise BadAcceptance(wrong + said)
    return Acceptance(**entry)
