"""Gates, criteria and guards: what each does to the points, and what happens when a check itself fails."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from autograder.checks import (
    BadCheck,
    Case,
    Check,
    Failed,
    Outcome,
    Review,
    Role,
    Sources,
    Status,
    Verdict,
    criterion,
    gate,
    guard,
    run,
    verdict_of,
)  # fmt: skip
from autograder.checks.declaring import Judge
from autograder.clusters import Capability, Cluster


def holds(review: Review) -> None:
    """It matters."""


def fails(review: Review) -> None:
    """It matters."""
    raise Failed("it is red", wanted="blue", found="red")


def breaks(review: Review) -> None:
    """It matters."""
    raise KeyError("spec")


def half(review: Review) -> None:
    """It matters."""
    review.each(lambda: holds(review), lambda: fails(review))


def verdict(cluster: Cluster, *checks: Check, show_wanted: bool = True) -> Verdict:
    case = Case(cluster, Sources((), "default"))
    return verdict_of("x/y", [judged.result for judged in run(checks, case, show_wanted=show_wanted)])


def test_criteria_earn_their_points(cluster: Cluster) -> None:
    result = verdict(cluster, criterion("a", points=2)(holds), criterion("b", points=1)(fails))
    assert (result.status, result.earned, result.possible) == (Status.GRADED, 2, 3)
    assert not result.is_full


def test_a_failure_says_wanted_found_and_why(cluster: Cluster) -> None:
    (failed,) = verdict(cluster, criterion("a", points=2)(fails)).criteria
    assert (failed.message, failed.wanted, failed.found, failed.why) == ("it is red", "blue", "red", "It matters.")


def test_what_was_wanted_can_be_kept_back(cluster: Cluster) -> None:
    (failed,) = verdict(cluster, criterion("a", points=2)(fails), show_wanted=False).criteria
    assert (failed.wanted, failed.found) == (None, "red")


def test_nothing_is_looked_at_behind_a_gate_that_failed(cluster: Cluster) -> None:
    result = verdict(cluster, gate("door")(fails), criterion("a", points=2)(holds), guard("g", costs=1)(fails))
    assert [one.outcome for one in result.criteria] == [Outcome.FAILED, Outcome.BLOCKED, Outcome.BLOCKED]
    assert (result.earned, result.possible) == (0, 2)
    assert all(one.message for one in result.criteria)


def test_a_guard_earns_nothing_and_costs_if_violated(cluster: Cluster) -> None:
    kept = verdict(cluster, criterion("a", points=2)(holds), guard("g", costs=1)(holds))
    violated = verdict(cluster, criterion("a", points=2)(holds), guard("g", costs=1)(fails))
    ruined = verdict(cluster, criterion("a", points=2)(holds), guard("g", costs=5)(fails))
    assert [(one.earned, one.possible) for one in (kept, violated, ruined)] == [(2, 2), (1, 2), (0, 2)]


def test_claims_of_equal_weight_share_the_points(cluster: Cluster) -> None:
    result = verdict(cluster, criterion("a", points=3)(half))
    assert (result.earned, result.possible, result.criteria[0].outcome) == (1.5, 3, Outcome.PARTLY)


def test_a_check_that_breaks_is_no_silent_zero_and_harms_no_neighbour(cluster: Cluster) -> None:
    result = verdict(cluster, criterion("a", points=2)(breaks), criterion("b", points=1)(holds))
    assert result.status is Status.COULD_NOT_BE_JUDGED
    assert [one.outcome for one in result.criteria] == [Outcome.COULD_NOT_BE_JUDGED, Outcome.PASSED]
    assert "KeyError: 'spec'" in result.criteria[0].message


@dataclass
class Unforkable:
    """A cluster that can do nothing but what the Kubernetes API can."""

    name: str = "kubeconfig"
    capabilities: frozenset[Capability] = frozenset()


def tries(review: Review) -> None:
    """It matters."""
    review.trial()


def test_what_a_cluster_cannot_do_leaves_the_total(cluster: Cluster) -> None:
    there: Cluster = Unforkable()  # type: ignore[assignment]
    mixed = verdict(there, criterion("a", points=2)(holds), criterion("b", points=3)(tries))
    assert (mixed.status, mixed.earned, mixed.possible, mixed.is_full) == (Status.GRADED, 2, 2, True)
    assert "cannot be forked" in mixed.criteria[1].message
    alone = verdict(there, criterion("b", points=3)(tries))
    assert (alone.status, alone.possible, alone.is_full) == (Status.NOT_RUN_THERE, 0, False)


def test_what_stands_behind_a_gate_that_is_not_run_leaves_the_total_too(cluster: Cluster) -> None:
    there: Cluster = Unforkable()  # type: ignore[assignment]
    behind = verdict(there, gate("first")(tries), criterion("b", points=3)(holds))
    assert (behind.status, behind.possible) == (Status.NOT_RUN_THERE, 0)


def test_json_has_the_agreed_form(cluster: Cluster) -> None:
    result = verdict(cluster, criterion("a", points=2)(fails)).to_json()
    assert result == {
        "exercise": "x/y", "status": "graded", "earned": 0, "possible": 2,
        "criteria": [{"name": "a", "earned": 0, "possible": 2, "message": "it is red", "wanted": "blue", "found": "red",
                      "where": None, "why": "It matters."}],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["", " a", "a, b", "a\nb"])
def test_names_fit_into_the_line_that_a_mutant_begins_with(name: str) -> None:
    with pytest.raises(BadCheck, match="no name for a check"):
        gate(name)


@pytest.mark.parametrize("points", [0, -1])
def test_points_are_above_zero(points: float) -> None:
    with pytest.raises(BadCheck, match="points must be more than 0"):
        criterion("a", points=points)


def test_every_check_says_why_it_matters() -> None:
    silent: Judge = lambda review: None  # noqa: E731
    with pytest.raises(BadCheck, match="docstring"):
        criterion("a", points=1)(silent)
    assert criterion("a", points=1)(holds) == Check("a", Role.CRITERION, 1, "It matters.", holds)
