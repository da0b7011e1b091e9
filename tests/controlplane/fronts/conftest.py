"""What tests of the fronts share."""

from __future__ import annotations

import pytest
from fake_cluster import FakeCluster


@pytest.fixture
def cluster() -> FakeCluster:
    """A cluster of a few lines."""
    return FakeCluster()
