"""Every exercise in a cluster that somebody else runs, behind TLS, with the least rights: the same verdicts as on the
embedded one, and everything else in that cluster stays as it was, byte for byte.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from foreign import everything_else, furnish, with_least_rights
from serving import serving

from autograder.checks import Status
from autograder.clusters import Cluster, open_cluster
from autograder.clusters.connection import Connection
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.clusters.served import ServedCluster
from autograder.exercises import Runner, exercise_ids, exercises_root, load
from autograder.exercises.parity import FILE, compare, read_acceptances, split

#: Wrong answers of each exercise that are compared here; all, and all right ones, with AUTOGRADER_PARITY=all.
MUTANTS = None if os.environ.get("AUTOGRADER_PARITY") == "all" else 1
#: Seconds of the cluster's time between two looks at it.
STEP = 2
#: What the test of everything else runs; among them what makes namespaces, node ports and quotas.
MANY = ("namespaces/a-place-of-its-own", "services/node-port", "resourcequotas/dev-quota", "replicasets/adopt-pods",
        "deployments/three-shops", "pods/not-before", "pods/how-it-ends", "scheduler/no-scheduler")  # fmt: skip


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(tmp_path_factory.mktemp("served"), "manual") as path:
        furnish(Connection(path))
        yield path


class Hurried(KubeconfigCluster):
    """A cluster of somebody else's whose time passes as quickly as it is asked to: waiting costs nothing here."""

    clock: ServedCluster

    def advance(self, seconds: float) -> None:
        self.clock.post("advance", seconds=seconds)

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        for _ in range(math.ceil(timeout / STEP) + 1):
            if predicate():
                return True
            self.advance(STEP)
        return predicate()


@pytest.fixture(scope="module")
def there(owner: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    least = with_least_rights(owner, tmp_path_factory.mktemp("rights"))
    Hurried.clock = ServedCluster(owner)
    cluster = Hurried.open(least, "class", pace=QUICK)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def here() -> Runner:
    return Runner(open_cluster("embedded"))


@pytest.mark.parametrize("name", exercise_ids())
def test_verdicts_are_the_same_there(here: Runner, there: Cluster, name: str) -> None:
    found = compare(load(name), here, Runner(there), MUTANTS)
    different, _ = split(found.differences, read_acceptances(exercises_root().parent / FILE))
    assert not different, "\n".join(map(str, different))
    assert found.compared or found.not_run


def test_everything_else_stays_as_it_was(owner: Path, there: Cluster) -> None:
    before = everything_else(Connection(owner))
    runner, statuses = Runner(there), []
    for name in MANY:
        exercise = load(name)
        statuses += [runner.judge(exercise, exercise.answer(text)).status for text in
                     (exercise.solution, *list(exercise.mutants.values())[:1])]  # fmt: skip
    there.close()
    assert everything_else(Connection(owner)) == before
    assert statuses.count(Status.GRADED) > len(MANY)
    assert Status.COULD_NOT_BE_JUDGED not in statuses
