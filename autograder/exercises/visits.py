"""A cluster on a visit: a check may look at it and add to it, and what it has added is taken away when it leaves.

Where an answer has the whole of a cluster there is no second one to break things in.  What changes something that is
there is therefore "not run there".
"""

from __future__ import annotations

import contextlib
from typing import Any, NoReturn, cast

from autograder.clusters import Capability, Cluster, NotSupportedHere, Object
from autograder.controlplane.apimachinery.errors import NotFound

#: Seconds that what was added gets to go.
LEAVING_SECONDS = 60


class Visit:
    """One cluster for one trial after another; each begins with what the answer has made, and nothing else."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._added: dict[tuple[str, str, str], None] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def begin(self) -> Cluster:
        """The cluster for the next trial."""
        self.leave()
        return cast("Cluster", self)

    def leave(self) -> None:
        """Take away what was added."""
        for kind, name, namespace in self._added:
            with contextlib.suppress(NotFound):
                self._cluster.delete(kind, name, namespace, grace_period=0 if kind == "Pod" else None)
        self._cluster.wait_until(lambda: not any(map(self._is_there, self._added)), LEAVING_SECONDS)
        self._added.clear()

    def create(self, obj: Object, namespace: str = "default") -> Object:
        made = self._cluster.create(obj, namespace)
        meta = made["metadata"]
        if "name" in meta:  # a question, such as a SubjectAccessReview, has none
            self._added[made["kind"], meta["name"], meta.get("namespace", "default")] = None
        return made

    def delete(self, kind: str, name: str, namespace: str = "default", **how: Any) -> None:
        if (kind, name, namespace) not in self._added:
            self._refuse()
        self._cluster.delete(kind, name, namespace, **how)

    def patch(self, kind: str, name: str, patch: Any, namespace: str = "default", **how: Any) -> Object:
        if (kind, name, namespace) not in self._added:
            self._refuse()
        return self._cluster.patch(kind, name, patch, namespace, **how)

    def evict(self, pod: str, namespace: str = "default") -> None:
        self._refuse()

    def stop(self, component: str) -> None:
        self._refuse()

    def start(self, component: str) -> None:
        self._refuse()

    def power_off(self, node: str) -> None:
        self._refuse()

    def power_on(self, node: str) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotSupportedHere(self._cluster.name, Capability.FORK)

    def _is_there(self, place: tuple[str, str, str]) -> bool:
        try:
            self._cluster.get(*place)
        except NotFound:
            return False
        return True
