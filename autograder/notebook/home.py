"""Where a student's things are: the state of the cluster, and the folder of answers.

A student has one cluster for the whole course, in ``course/.cluster`` (or ``AUTOGRADER_HOME``; or ``~/.autograder``,
where the course is one copy for everybody on the host), and beside each notebook a folder ``work`` with the answers.
Where notebooks are run by a program (nbgrader, pytest, the build) each kernel has a home of its own, so that none sees
the objects or answers of another.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.clusters import scratch
from autograder.exercises import exercises_root

#: Set by whoever runs notebooks without a person before them.
UNATTENDED: Final = ("AUTOGRADER_UNATTENDED", "NBGRADER_EXECUTION", "PYTEST_CURRENT_TEST")


@dataclass(frozen=True, slots=True)
class Home:
    """``state`` is the folder of the cluster, ``work`` that of the answers.

    A ``private`` home belongs to this process, and its cluster ends with it.
    """

    state: Path
    work: Path
    private: bool = False

    @property
    def kubeconfig(self) -> Path:
        """What kubectl needs to reach the cluster."""
        return self.state / "kubeconfig"

    @property
    def progress(self) -> Path:
        """What the student has done so far, in all lessons."""
        return self.state / "progress.json"

    @property
    def log(self) -> Path:
        """What the cluster's process has written."""
        return self.state / "log"

    @property
    def pid(self) -> Path:
        """The number of the cluster's process."""
        return self.state / "pid"

    @property
    def kubectl(self) -> Path:
        """The home directory that kubectl sees: empty but for its cache."""
        return self.state / "kubectl"


def find_home(environment: Mapping[str, str] = os.environ) -> Home:
    """The home of the notebook that is run in the current folder."""
    chosen = environment.get("AUTOGRADER_HOME")
    if chosen:
        return Home(Path(chosen).absolute(), Path.cwd() / "work")
    if any(name in environment for name in UNATTENDED):
        scratch.clean()
        own = scratch.Scratch()
        atexit.register(own.remove)
        return Home(own.path, own.path / "work", private=True)
    course = exercises_root().absolute().parent
    state = course / ".cluster" if os.access(course, os.W_OK) else Path.home() / ".autograder"
    return Home(state, Path.cwd() / "work")
