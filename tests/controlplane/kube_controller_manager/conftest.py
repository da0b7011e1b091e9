"""A settled cluster of kubeadm's shape for every test, forked from one."""

from __future__ import annotations

import pytest
from controller_world import World

from autograder.controlplane.cluster import Cluster


@pytest.fixture(scope="session")
def settled() -> Cluster:
    cluster = Cluster()
    cluster.advance(10)
    return cluster


@pytest.fixture
def world(settled: Cluster) -> World:
    return World(settled.fork())
