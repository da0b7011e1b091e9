"""The command ``autograder parity``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from autograder.exercises.parity import Acceptance, Comparison

ALIKE, DIFFERENT, NOT_COMPARED = 0, 1, 2
WIDTH: Final = 32


def parity(options: argparse.Namespace) -> int:
    """Compare verdicts of the embedded cluster with those of another; 0 if none differs without an accepted reason."""
    from autograder.clusters import ClusterError, open_cluster
    from autograder.exercises import BadExercise, Runner, exercise_ids, exercises_root, load
    from autograder.exercises.parity import FILE, BadAcceptance, compare, read_acceptances

    exercises = options.exercises or exercise_ids()
    if not exercises:
        print("autograder parity: there are no exercises here", file=sys.stderr)
        return NOT_COMPARED
    found = []
    try:
        acceptances = read_acceptances(exercises_root().parent / FILE)
        loaded = [load(exercise) for exercise in exercises]
        there = open_cluster(options.cluster, seed=1, longest_wait=options.longest_wait)
        try:
            runners = Runner(open_cluster("embedded")), Runner(there)
            for exercise in loaded:
                comparison = compare(exercise, *runners, options.mutants)
                _print(comparison, acceptances)
                found.append(comparison)
        finally:
            there.close()
    except (BadAcceptance, BadExercise, ClusterError) as error:
        print(f"autograder parity: {error}", file=sys.stderr)
        return NOT_COMPARED
    return _summary(found, acceptances, options.cluster)


def _print(comparison: Comparison, acceptances: list[Acceptance]) -> None:
    from autograder.exercises.parity import split

    different, accepted = split(comparison.differences, acceptances)
    state = f"{len(different)} differ" if different else "alike"
    figures = (
        f"{comparison.answers} answers, {comparison.compared} criteria, {len(accepted)} accepted differences, "
        f"{comparison.not_run} not run there, {comparison.seconds:.1f} s"
    )
    print(f"{comparison.exercise:{WIDTH}} {state:10} {figures}", flush=True)
    for difference in different:
        print(f"    {difference}")
    for difference, known in accepted:
        print(f"    accepted: {difference}: {known.reason}")


def _summary(found: list[Comparison], acceptances: list[Acceptance], spec: str) -> int:
    from autograder.exercises.parity import split

    differences = [difference for comparison in found for difference in comparison.differences]
    different, accepted = split(differences, acceptances)
    compared = {comparison.exercise for comparison in found}
    used = {id(known) for _, known in accepted}
    for known in acceptances:
        if known.exercise in compared and id(known) not in used:
            which = " ".join(filter(None, (known.exercise, known.answer, known.criterion)))
            print(f"no longer different, take it out of the accepted ones: {which}")
    print(
        f"\n{len(found)} exercises, {sum(one.answers for one in found)} answers, "
        f"{sum(one.compared for one in found)} criteria compared with {spec}: {len(different)} differ, "
        f"{len(accepted)} accepted differences, {sum(one.not_run for one in found)} not run there"
    )
    return DIFFERENT if different else ALIKE
