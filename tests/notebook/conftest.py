"""What tests of the notebook share: a home of one's own, and one cluster for all tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from autograder.notebook.home import Home
from autograder.notebook.magics import CourseMagics


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home for all tests of a worker."""
    folder = tmp_path_factory.mktemp("home")
    return Home(folder, folder / "work", private=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without a cluster."""
    return Home(tmp_path, tmp_path / "work", private=True)


@pytest.fixture(scope="session")
def shared_magics(shared_home: Home) -> Iterator[CourseMagics]:
    """The magics of a home with a cluster, which ends after the last test."""
    magics = CourseMagics(InteractiveShell(), shared_home)
    yield magics
    magics.own_cluster.end()


@pytest.fixture
def magics(home: Home) -> CourseMagics:
    """The magics of a home without a cluster."""
    return CourseMagics(InteractiveShell(), home)
