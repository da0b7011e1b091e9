"""The mirrors of static pods in the API: objects that show the pods, and that tell how the API server completes them.

A real kubelet reads and completes manifests with the API server's own code, and so can start them without it; here a
manifest that is not like one it has read before has to wait for the API server.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from autograder.controlplane.apimachinery.errors import BadRequest, Forbidden, Invalid, NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.kubelet import static_pods
from autograder.controlplane.kubelet.records import PodState
from autograder.controlplane.kubelet.surroundings import Surroundings
from autograder.controlplane.kubelet.timing import COMPONENT, FILE_CHECK_PERIOD


class Registered(NamedTuple):
    """A static pod that can be started: completed, and its mirror (None while the API server is away)."""

    pod: Object
    mirror: Object | None


class Mirrors:
    """The mirrors of all nodes.

    ``strict`` is a client whose objects the API server judges and completes as those of a user.  ``completed`` are
    static pods by uid and by name as the API server has completed them, to start them while it is away.
    """

    def __init__(self, surroundings: Surroundings, strict: Client, completed: dict[str, Object]) -> None:
        self._client = surroundings.client
        self._strict = strict
        self._clock = surroundings.clock
        self._pods = surroundings.pods
        self._nodes = surroundings.nodes
        self.completed = completed

    def register(self, uid: str, pod: Object, node: str) -> Registered | None:
        """Show the pod of a new manifest in the API; None if it cannot be started, or not yet."""
        name = f"{node}/{pod['metadata']['name']}"
        mirror = self._first(pod, node)
        if mirror is not None:
            complete = static_pods.of_mirror(mirror)
            self.completed[uid] = self.completed[name] = complete
            return Registered(complete, mirror)
        if self._clock.due(COMPONENT, ("manifests", node)) is None:
            return None
        # The API server is away: the pod is as it was, but for what may be believed of its manifest.
        before = self.completed.get(name)
        known = self.completed.get(uid) or (static_pods.changed(before, pod) if before is not None else None)
        return Registered(known, None) if known else None

    def _first(self, pod: Object, node: str) -> Object | None:
        """The mirror of a manifest that is new.  The API server judges it: what it refuses is passed over."""
        meta, owner = pod["metadata"], self._nodes.get("", node)
        old = self._pods.get(meta["namespace"], meta["name"])
        if old is not None and static_pods.mirrored(old) == meta["uid"]:
            return old
        if old is not None:
            self.remove(old)
        if owner is None:
            return None
        try:
            body: Any = json.dumps(static_pods.mirror(pod, owner), default=str).encode()
            return self._strict.create(PODS, meta["namespace"], body)
        except (BadRequest, Forbidden, Invalid, NotFound):
            return None
        except StatusError:
            self._clock.set(COMPONENT, ("manifests", node), self._clock.now + FILE_CHECK_PERIOD, periodic=True)
            return None

    def of(self, state: PodState) -> Object | None:
        """The mirror of a static pod, made anew if it is missing or being deleted; None while that cannot be."""
        meta = state.pod["metadata"]
        mirror = state.mirror or self._pods.get(meta["namespace"], meta["name"])
        node = self._nodes.get("", state.node)
        if mirror is not None and (
            static_pods.mirrored(mirror) != state.uid or "deletionTimestamp" in mirror["metadata"]
        ):
            self.remove(mirror)
            mirror = None
        if mirror is None and node is not None:
            try:
                mirror = self._client.create(PODS, meta["namespace"], static_pods.mirror(state.pod, node))
            except StatusError:
                # The pod runs all the same; whoever looks at the API sees it with the next try.
                return None
        return mirror

    def remove(self, mirror: Object) -> None:
        """Take a mirror out of the API."""
        meta = mirror["metadata"]
        try:
            self._client.delete(PODS, meta["namespace"], meta["name"], uid=meta["uid"], grace_period=0)
        except StatusError:
            # It is gone already, or the next step tries again.
            return
