"""What a kubelet remembers of a pod, as immutable records: a change makes a new one, so that a fork shares them all.

A pod goes through the stages of ``Stage``; what it waits for within a stage is a moment in one of the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.records import NOTHING

#: The delays of a crashing container or a failing pull: the first, the longest, and when it is forgotten.
FIRST_DELAY: Final = 10 * SECOND
LONGEST_DELAY: Final = 300 * SECOND
FORGOTTEN_AFTER: Final = 2 * LONGEST_DELAY


class Stage(StrEnum):
    """Where a pod stands.

    ``SETTING_UP`` (volumes, sandbox) -> ``RUNNING`` -> ``TERMINATING`` (containers are stopped) -> ``FINISHED``.
    A sandbox that is lost takes a running pod back to ``SETTING_UP``.
    """

    SETTING_UP = "setting up"
    RUNNING = "running"
    TERMINATING = "terminating"
    FINISHED = "finished"


class Backoff(NamedTuple):
    """An exponential delay, and since when it counts (microseconds)."""

    delay: int
    since: int

    @staticmethod
    def after(previous: Backoff | None, event: int, now: int) -> Backoff:
        """The delay after one more failure; a failure long after the one before begins anew."""
        if previous is None or event - previous.since > FORGOTTEN_AFTER:
            return Backoff(FIRST_DELAY, now)
        return Backoff(min(2 * previous.delay, LONGEST_DELAY), now)


class Waiting(NamedTuple):
    """Why a container does not run: a machine-readable reason, and words."""

    reason: str
    message: str = ""


class Stop(NamedTuple):
    """A container is being stopped: TERM at one moment, KILL at another."""

    term_at: int
    kill_at: int
    termed: bool = False


class Probe(NamedTuple):
    """One probe of a running container: when it runs next, its verdict, and how often the last result came in a row."""

    due: int
    verdict: bool | None = None
    last: bool | None = None
    run: int = 0
    on_hold: bool = False


class ContainerWork(NamedTuple):
    """What the kubelet has to remember of one container of a pod besides what the runtime knows."""

    not_before: int = 0
    pulling_until: int | None = None
    image_ready: bool = False
    image_backoff: Backoff | None = None
    image_error: str = ""
    crash_backoff: Backoff | None = None
    waiting: Waiting | None = None
    stop: Stop | None = None
    probes: Mapping[str, Probe] = NOTHING


IDLE: Final = ContainerWork()


class PodState(NamedTuple):
    """One pod on a node.

    ``pod`` is the newest object known: of the API server, or the manifest of a static pod.  ``written`` is the status
    that was written last, and ``reported`` whether it is all that the API server has to know.  Moments are microseconds
    of virtual time.  ``rejected`` is the status of a pod that the kubelet has refused.  ``wanted`` is the spec that the
    API server has while the resources in it are not given to the pod (``pod`` has those that are), and ``resize`` the
    condition that says why.
    """

    pod: Object
    uid: str
    node: str
    stage: Stage
    since: int
    sandbox_at: int | None
    attempt: int = 0
    ip: str = ""
    retry: Backoff | None = None
    works: Mapping[str, ContainerWork] = NOTHING
    initialized: bool = False
    written: Object | None = None
    reason: str = ""
    message: str = ""
    phase: str = ""
    grace: int = 0
    gone: bool = False
    mirror: Object | None = None
    static: bool = False
    rejected: Object | None = None
    wanted: Object | None = None
    resize: Object | None = None
    reported: bool = False

    def work(self, container: str) -> ContainerWork:
        return self.works.get(container, IDLE)
