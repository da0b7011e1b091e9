"""Running the checks of an exercise, one after the other, each apart from the others.

A check that raises anything unexpected "could not be judged", with the reason; the others are judged all the same.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.checks.case import Case, Notes
from autograder.checks.declaring import Check
from autograder.checks.findings import Failed, PartlyFailed
from autograder.checks.review import Review
from autograder.checks.verdict import Outcome, Result, Role, Status, Verdict, tidy
from autograder.clusters import ClusterError, NotSupportedHere


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of one check, and the notes taken on the way to it."""

    result: Result
    notes: Notes


def run(checks: Sequence[Check], case: Case, *, show_wanted: bool = True) -> Iterator[Judged]:
    """Judge the answer by every check in turn; after a gate that failed the rest is not looked at."""
    gate: Result | None = None
    for check in checks:
        if gate is not None:
            behind = (
                _not_run(check, gate.message) if gate.outcome is Outcome.NOT_RUN_THERE else _blocked(check, gate.name)
            )
            yield Judged(behind, Notes())
            continue
        judged = _run_one(check, case, show_wanted)
        if check.role is Role.GATE and judged.result.outcome is not Outcome.PASSED:
            gate = judged.result
        yield judged


def block(checks: Sequence[Check], by: str) -> list[Result]:
    """The results of checks that are not looked at because of what stands under the name ``by``."""
    return [_blocked(check, by) for check in checks]


def verdict_of(exercise: str, results: Sequence[Result]) -> Verdict:
    """The verdict that the results add up to; what was not run on this kind of cluster leaves the total."""
    outcomes = {result.outcome for result in results}
    possible = tidy(sum(result.possible for result in results))
    status = Status.GRADED
    if Outcome.COULD_NOT_BE_JUDGED in outcomes:
        status = Status.COULD_NOT_BE_JUDGED
    elif Outcome.NOT_RUN_THERE in outcomes and not possible:
        status = Status.NOT_RUN_THERE
    return Verdict(exercise, status, tuple(results), possible)


def _run_one(check: Check, case: Case, show_wanted: bool) -> Judged:
    review = Review(case)
    try:
        check.judge(review)
    except (Failed, PartlyFailed) as failed:
        result = _failed(check, failed, show_wanted)
        troubles = case.cluster.troubles()
        if troubles:  # what is missing may have been there while nobody could look
            result = _unjudged(check, f"{'; '.join(troubles)}; what was found: {result.message}")
    except NotSupportedHere as absent:
        result = _not_run(check, f"not run there: {absent}")
    except ClusterError as error:
        result = _unjudged(check, str(error))
    except Exception as error:
        result = _unjudged(check, f"{type(error).__name__}: {error} ({_line_of(error)})")
    else:
        proofs = review.notes.proofs or review.notes.found
        message = "; ".join(dict.fromkeys(proofs)) or f"{check.name}: as it should be"
        result = Result(check.name, check.role, Outcome.PASSED, check.possible, check.possible, message, why=check.why)
    return Judged(result, review.notes)


def _failed(check: Check, failed: Failed | PartlyFailed, show_wanted: bool) -> Result:
    if isinstance(failed, PartlyFailed):
        return _partly(check, failed, show_wanted)
    return Result(
        check.name, check.role, Outcome.FAILED, check.cost, check.possible, failed.message,
        failed.wanted if show_wanted else None, failed.found, failed.where, check.why,
    )  # fmt: skip


def _partly(check: Check, partly: PartlyFailed, show_wanted: bool) -> Result:
    failures = partly.failures
    outcome = Outcome.PARTLY if partly.share and check.role is Role.CRITERION else Outcome.FAILED
    wanted = "; ".join(failure.wanted for failure in failures if failure.wanted) or None
    return Result(
        check.name, check.role, outcome, tidy(check.possible * partly.share) if check.possible else check.cost,
        check.possible, str(partly), wanted if show_wanted else None,
        "; ".join(failure.found for failure in failures if failure.found) or None,
        next((failure.where for failure in failures if failure.where), None),
        check.why,
    )  # fmt: skip


def _unjudged(check: Check, reason: str) -> Result:
    message = f"could not be judged: {reason}"
    return Result(check.name, check.role, Outcome.COULD_NOT_BE_JUDGED, 0, check.possible, message, why=check.why)


def _blocked(check: Check, by: str) -> Result:
    message = f"not looked at: first comes {by!r}"
    return Result(check.name, check.role, Outcome.BLOCKED, 0, check.possible, message, why=check.why)


def _not_run(check: Check, message: str) -> Result:
    """A check that this kind of cluster cannot answer; its points leave the total."""
    return Result(check.name, check.role, Outcome.NOT_RUN_THERE, 0, 0, message, why=check.why)


def _line_of(error: Exception) -> str:
    """The place in the exercise's checks where an unexpected error came from, for its author."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.endswith("checks.py")] or frames
    return f"{own[-1].filename.rpartition('/')[2]} line {own[-1].lineno}"
