"""One cluster is booted; every test works on a fork of it."""

from __future__ import annotations

import pytest

from autograder.clusters import Cluster, open_cluster


@pytest.fixture(scope="session")
def warm() -> Cluster:
    return open_cluster("embedded")


@pytest.fixture
def cluster(warm: Cluster) -> Cluster:
    return warm.fork()
