"""An exercise's surroundings as a cluster that a student can be given: the very state that answers are judged in."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, cast

from autograder.clusters.embedded import EmbeddedCluster
from autograder.controlplane.apimachinery.scheme import RESOURCES, ResourceType
from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response, User
from autograder.controlplane.client import Client
from autograder.controlplane.clock import SECOND
from autograder.controlplane.cluster import Cluster as ControlPlane
from autograder.controlplane.fronts.journal import RecordedCluster
from autograder.exercises.exercise import Exercise
from autograder.exercises.places import prepare

_TYPES: Final[dict[tuple[str, str], ResourceType]] = {(row.group, row.plural): row for row in RESOURCES}


def started(exercise: Exercise) -> dict[str, Any]:
    """A saved cluster (see ``fronts.journal``) with everything that the exercise sets up."""
    recorded = RecordedCluster()
    cluster = EmbeddedCluster.booted(cast("ControlPlane", _Recording(recorded)))
    prepare(exercise, cluster)
    return recorded.save()


class _Recording:
    """A control plane of which everything that changes it is written down."""

    def __init__(self, recorded: RecordedCluster) -> None:
        self._recorded = recorded
        self.clock = recorded.clock
        self.settle = recorded.settle
        self.advance = recorded.advance

    def handle(self, request: Request) -> Response:
        """Answer a request, as it would have come over a socket: only such requests can be written down."""
        if request.info is not None:
            about = request.info
            path = _TYPES[about.group, about.resource].path(about.namespace, about.name, about.subresource)
            headers = {"content-type": "application/json", **request.headers}
            body = request.body if isinstance(request.body, bytes) else json.dumps(request.body).encode()
            request = Request(request.method, path, request.query, headers if body else {}, body, request.user)
        return self._recorded.handle(request)

    def client(self, user: User = ADMIN) -> Client:
        """The API as a user sees it."""
        return Client(self.handle, user)

    def run_until(self, done: Callable[[], bool], *, timeout: float) -> bool:
        """Let virtual time pass until ``done``, at most ``timeout`` seconds; whether it came to that."""
        end = self.clock.now + round(timeout * SECOND)
        self.settle()
        while not done():
            due = self.clock.next_due()
            if due is None or due > end:
                self._recorded.run_to(end)
                return done()
            self._recorded.run_to(due)
        return True

    def stop(self, component: str) -> None:
        """Stop a component."""
        self._recorded.act("stop", component)

    def start(self, component: str) -> None:
        """Start a component."""
        self._recorded.act("start", component)

    def power_off(self, node: str) -> None:
        """Take the power from a node."""
        self._recorded.act("power_off", node)

    def power_on(self, node: str) -> None:
        """Give a node its power back."""
        self._recorded.act("power_on", node)
