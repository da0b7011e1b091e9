"""One cluster is booted, and every test works on a fork of it; those that need it served share one in a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ours import Powers
from serving import serving

from autograder.clusters import Cluster, open_cluster
from autograder.clusters.kubeconfig import QUICK
from autograder.clusters.owned import OwnedCluster, OwnedConnection


@pytest.fixture(scope="session")
def warm() -> Cluster:
    return open_cluster("embedded")


@pytest.fixture
def cluster(warm: Cluster) -> Cluster:
    return warm.fork()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster that is served for the tests of a module."""
    with serving(tmp_path_factory.mktemp("served")) as path:
        yield path


@pytest.fixture
def powers(config: Path) -> Powers:
    """All power over it: whoever has that has a cluster of his own."""
    return Powers(config)


@pytest.fixture
def root(config: Path, powers: Powers) -> Iterator[OwnedCluster]:
    """The first of the family of places in it."""
    cluster = OwnedCluster(OwnedConnection(config), QUICK, powers)
    yield cluster
    cluster.close()
