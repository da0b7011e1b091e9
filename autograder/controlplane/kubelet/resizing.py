"""Resizing a pod in place: what becomes of it when the resources that its containers ask for are changed.

The kubelet gives a pod what it now wants as soon as its node has that; until then the pod keeps what it has, and a
condition says why.  Order and texts are those of pkg/kubelet/allocation and pkg/kubelet/events/resize.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kubelet import resources
from autograder.controlplane.kubelet.admission import Misfit
from autograder.controlplane.kubelet.container_worker import ContainerWorker
from autograder.controlplane.kubelet.records import PodState, Stage

_KINDS: Final = ("initContainers", "containers")
_RESIZABLE: Final = ("cpu", "memory")


def taken(state: PodState, pod: Object) -> PodState:
    """The state with a newer object of its pod; other resources than before are wanted, and not yet given."""
    spec, had = pod["spec"], state.pod["spec"]
    going = state.stage in (Stage.SETTING_UP, Stage.RUNNING)
    if spec is had or not going or not any(_changed(spec, had)):
        return state._replace(pod=pod, wanted=None, resize=None)
    return state._replace(pod={**pod, "spec": _with_resources(spec, had)}, wanted=spec)


def given(state: PodState, written: Object) -> Object:
    """An object of the API server with the resources that the pod has."""
    return written if state.wanted is None else {**written, "spec": state.pod["spec"]}


class PodResizer(ContainerWorker):
    """The part of a pod's worker that resizes its containers."""

    def resize(self, refused: Misfit | None) -> None:
        """Give the pod what it wants, unless the node refuses or a container holds more memory than it would have."""
        wanted, had = self.state.wanted, self.state.pod["spec"]
        assert wanted is not None
        if refused is not None:
            self._wait("PodResizePending", "Deferred", refused.message, "ResizeDeferred", "Pod resize Deferred")
            return
        pairs = list(_changed(wanted, had))
        too_small = self._too_small(pairs)
        if too_small:
            why = f"cannot decrease memory limits: {too_small}"
            self._wait("PodResizeInProgress", "Error", why, "ResizeError", "Pod resize error")
            return
        summary = self._summary()
        self._event("Normal", "ResizeStarted", f"Pod resize started: {summary}")
        self.state = self.state._replace(pod={**self.state.pod, "spec": wanted}, wanted=None, resize=None)
        for spec, was in pairs:
            self._resize_container(spec, was)
        self._event("Normal", "ResizeCompleted", f"Pod resize completed: {summary}")

    def _resize_container(self, spec: Object, was: Object) -> None:
        """Change the bounds of a running container, or start it anew if its policy says so."""
        container = self._machines.latest(self.state.uid, spec["name"])
        if container is None or not container.running:
            return
        restarting = {
            one["resourceName"] for one in spec.get("resizePolicy") or () if one["restartPolicy"] == "RestartContainer"
        }
        if restarting.intersection(_changed_names(spec, was)):
            grace = self.state.pod["spec"].get("terminationGracePeriodSeconds", 30)
            self._stop(spec, grace, f"Container {spec['name']} resize requires restart")
        else:
            self._machines.set_memory_limit(container.id, resources.memory_limit(spec))

    def _too_small(self, pairs: list[tuple[Object, Object]]) -> str:
        """What would not fit into its new limit; '' if all does."""
        found = []
        for spec, was in pairs:
            limit, before = resources.memory_limit(spec), resources.memory_limit(was)
            container = self._machines.latest(self.state.uid, spec["name"])
            if container is None or not container.running or not limit or (before and limit >= before):
                continue
            used = self._machines.memory_used(container.id)
            if used >= limit:
                title = json.dumps(spec["name"])
                found.append(f"attempting to set container {title} memory limit ({limit}) below current usage ({used})")
        return found[0] if len(found) == 1 else f"[{', '.join(found)}]" if found else ""

    def _wait(self, condition: str, reason: str, message: str, event: str, title: str) -> None:
        """Say why the pod does not get what it wants; once for each reason and generation in an event."""
        old, now = self.state.resize, timestamps.time(self._now)
        generation = self.state.pod["metadata"].get("generation")
        same = old is not None and (old["type"], old["reason"]) == (condition, reason)
        if old is None or not same or old.get("observedGeneration") != generation:
            self._event("Warning", event, f"{title}: {self._summary(message)}")
        since = old["lastTransitionTime"] if old is not None and same else now
        shown: Object = {"type": condition, "status": "True", "lastProbeTime": now, "lastTransitionTime": since}
        if old is not None and same and old.get("message") == message:
            shown["lastProbeTime"] = old["lastProbeTime"]
        if generation:
            shown["observedGeneration"] = generation
        self.state = self.state._replace(resize={**shown, "reason": reason, "message": message})

    def _summary(self, error: str = "") -> str:
        """What the containers of the pod want, as events tell it."""
        spec: Object = self.state.wanted or self.state.pod["spec"]
        told: dict[str, Any] = {}
        for kind in _KINDS:
            if spec.get(kind):
                told[kind] = [{"name": one["name"], "resources": _in_order(one)} for one in spec[kind]]
        told["generation"] = self.state.pod["metadata"].get("generation", 0)
        if error:
            told["error"] = error
        return json.dumps(told, separators=(",", ":"))


def _in_order(container: Object) -> Object:
    resources: Object = container.get("resources") or {}
    return {part: dict(sorted(resources[part].items())) for part in ("limits", "requests") if resources.get(part)}


def _changed(spec: Object, had: Object) -> Iterator[tuple[Object, Object]]:
    """The containers that ask for other resources than before, and what they were."""
    before = {one["name"]: one for kind in _KINDS for one in had.get(kind) or ()}
    for kind in _KINDS:
        for container in spec.get(kind) or ():
            was = before.get(container["name"])
            if was is not None and (container.get("resources") or {}) != (was.get("resources") or {}):
                yield container, was


def _changed_names(spec: Object, was: Object) -> set[str]:
    """The resources of which a container asks for another amount than before."""
    new, old = spec.get("resources") or {}, was.get("resources") or {}
    return {
        name for name in _RESIZABLE for part in ("requests", "limits")
        if (new.get(part) or {}).get(name) != (old.get(part) or {}).get(name)
    }  # fmt: skip


def _with_resources(spec: Object, had: Object) -> Object:
    """A spec with the resources of another."""
    before = {one["name"]: one.get("resources") for kind in _KINDS for one in had.get(kind) or ()}
    kept = {
        kind: [{**one, "resources": before.get(one["name"]) or {}} for one in spec[kind]]
        for kind in _KINDS if spec.get(kind)
    }  # fmt: skip
    return {**spec, **kept}
