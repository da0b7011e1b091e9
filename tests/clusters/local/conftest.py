"""One real control plane for all tests here that want one, where its programs are found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.clusters.local.cluster import LocalCluster
from autograder.clusters.local.control_plane import NAMES
from autograder.clusters.programs import on_path


@pytest.fixture(scope="session")
def local() -> Iterator[LocalCluster]:
    missing = [name for name in NAMES if on_path(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} on PATH")
    cluster = LocalCluster.start_all()
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(local: LocalCluster) -> Iterator[LocalCluster]:
    """A place of its own in it."""
    place = local.apart()
    yield place
    place.close()
