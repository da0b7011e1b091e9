"""Each component stopped in turn: what still works, what does not, and that all is well when it is back."""

from __future__ import annotations

import pytest
from component_off import AWAY, COMPONENTS, DOCUMENT, EXPERIMENTS, Experiment, document, surroundings, works_without
from lab import Lab

from autograder.clusters import Cluster


@pytest.fixture(scope="module")
def running(warm: Cluster) -> Cluster:
    cluster = warm.fork()
    surroundings(Lab(cluster))
    return cluster


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.what)
@pytest.mark.parametrize("component", COMPONENTS)
def test_works_or_not_as_the_table_says(running: Cluster, component: str, experiment: Experiment) -> None:
    wanted = component not in experiment.needs
    assert works_without(Lab(running.fork()), component, experiment) is wanted


@pytest.mark.parametrize("component", COMPONENTS)
def test_when_it_is_back_everything_is_done_that_was_not(running: Cluster, component: str) -> None:
    lab = Lab(running.fork())
    lab.cluster.delete("Pod", lab.names("Pod", app="web")[0], grace_period=0)
    lab.cluster.stop(component)
    lab.cluster.advance(AWAY)
    lab.cluster.start(component)
    lab.runs(2, app="web")


def test_the_document_shows_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document()
