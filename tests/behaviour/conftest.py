"""The same behaviours on every kind of cluster.

Each runs on the embedded cluster.  Those marked ``anywhere`` run a second time on an embedded cluster in another
process, reached over TLS as one that somebody else runs.  With ``AUTOGRADER_CLUSTER=kubeconfig:PATH[#CONTEXT]`` they
run on that cluster instead, and the others are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab
from serving import serving

from autograder.clusters import Cluster, open_cluster

CHOSEN = os.environ.get("AUTOGRADER_CLUSTER", "embedded")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "anywhere: every kind of cluster shows this within seconds, by its API alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lab" not in metafunc.fixturenames:
        return
    marked = metafunc.definition.get_closest_marker("anywhere")
    if CHOSEN == "embedded":
        kinds = ["embedded", "kubeconfig"] if marked else ["embedded"]
    else:
        skipped = pytest.mark.skip(reason=f"needs a cluster of our own, and AUTOGRADER_CLUSTER is {CHOSEN}")
        kinds = [CHOSEN] if marked else [pytest.param(CHOSEN, marks=skipped)]
    metafunc.parametrize("lab", kinds, indirect=True)


@pytest.fixture(scope="session")
def warm() -> Cluster:
    return open_cluster("embedded")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of an embedded cluster behind TLS in a process of its own."""
    with serving(tmp_path_factory.mktemp("served")) as path:
        yield path


@pytest.fixture(scope="session")
def foreign(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster that somebody else runs."""
    from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster

    if CHOSEN != "embedded":
        cluster = open_cluster(CHOSEN)
    else:
        cluster = KubeconfigCluster.open(request.getfixturevalue("served"), pace=QUICK)
    yield cluster
    cluster.close()


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    kind = "warm" if request.param == "embedded" else "foreign"
    cluster = request.getfixturevalue(kind).apart()
    yield Lab(cluster)
    cluster.close()
