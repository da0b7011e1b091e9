"""What the controllers of Endpoints and EndpointSlices share: who stands behind a Service, and who keeps a slice.

Source: k8s.io/endpointslice/util, pkg/controller/endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from autograder.controlplane.apimachinery import selectors, timestamps
from autograder.controlplane.apimachinery.scheme import PODS, SERVICES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, Indexer, by_namespace, object_key
from autograder.controlplane.client.services import by_service
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext

MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
HEADLESS_LABEL: Final = "service.kubernetes.io/headless"
TRIGGER_TIME: Final = "endpoints.kubernetes.io/last-change-trigger-time"


class Triggers(NamedTuple):
    """The times of the last changes that were answered: of the Service, and of its pods by name."""

    service: int
    pods: dict[str, int]


class ServiceFollower(Controller):
    """A controller whose keys are Services, and which hears of their pods too."""

    STATE = ("triggers",)

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.services = self.informers.informer(SERVICES, namespace=by_namespace)
        self.pods = self.informers.informer(PODS, namespace=by_namespace)
        self.triggers: dict[str, Triggers] = {}

    def on_service(self, delta: Delta) -> None:
        self.queue.add(object_key(delta.object))

    def on_pod(self, delta: Delta) -> None:
        """Services that select the pod, now or before, if anything changed that endpoints show."""
        states = [pod for pod in delta if pod is not None]
        selecting = [
            object_key(service)
            for service in self.services.by_index("namespace", delta.object["metadata"]["namespace"])
            if _selects_any(service, states)
        ]
        if selecting and (len(states) == 1 or _visible(states[0]) != _visible(states[1])):
            self.queue.add(*selecting)

    def reconcile(self, key: str) -> None:
        service = self.services.get_by_key(key)
        if service is None:
            self.triggers.pop(key, None)
            self.forget(key)
        elif is_followed(service):
            pods = self.selected_pods(service)
            self.follow(key, service, pods, self._trigger_time(key, service, pods))

    def follow(self, key: str, service: Object, pods: list[Object], trigger: str) -> None:
        """Write down who of the pods that a Service selects stands behind it.

        ``trigger`` is the time of the oldest change that has not been answered yet, or ''.
        """
        raise NotImplementedError(f"{type(self).__name__} says what it writes")

    def forget(self, key: str) -> None:
        """A Service is gone, and with it what it owns."""

    def selected_pods(self, service: Object) -> list[Object]:
        """The pods of the Service's selector, by name."""
        selector = selectors.of_map(service["spec"].get("selector"))
        found = self.pods.by_index("namespace", service["metadata"]["namespace"])
        chosen = [pod for pod in found if selector.matches(pod["metadata"].get("labels"))]
        return sorted(chosen, key=lambda pod: str(pod["metadata"]["name"]))

    def _trigger_time(self, key: str, service: Object, pods: list[Object]) -> str:
        """When the oldest change happened that has not been answered yet, or ''."""
        before = self.triggers.get(key)
        created = podlib.created(service)
        changed = {pod["metadata"]["name"]: since for pod in pods if (since := _last_ready_change(pod))}
        self.triggers[key] = Triggers(created, changed)
        if before is None:
            return timestamps.time(created)
        news = [since for name, since in changed.items() if since > before.pods.get(name, 0)]
        if created > before.service:
            news.append(created)
        return timestamps.time(min(news)) if news else ""


def kept_by(manager: str) -> Indexer:
    """Index: the key of the Service (or of the Endpoints of its name) whose EndpointSlice ``manager`` keeps."""

    def indexer(piece: Object) -> Iterable[str]:
        return by_service(piece) if piece["metadata"].get("labels", {}).get(MANAGED_BY) == manager else ()

    return indexer


def ports_key(ports: list[Object]) -> str:
    """Lists of ports that are equal have the same."""
    return json.dumps(ports, sort_keys=True)


def _selects_any(service: Object, pods: list[Object]) -> bool:
    selector = selectors.of_map(service["spec"].get("selector"))
    return any(selector.matches(pod["metadata"].get("labels")) for pod in pods)


def _visible(pod: Object) -> tuple[Any, ...]:
    """What of a pod shows in endpoints."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    return (
        meta.get("labels"), "deletionTimestamp" in meta, podlib.is_terminal(pod), podlib.is_ready(pod),
        spec.get("nodeName"), spec.get("hostname"), spec.get("subdomain"), status.get("podIP"), status.get("podIPs"),
    )  # fmt: skip


def _last_ready_change(pod: Object) -> int:
    ready = podlib.condition(pod, "Ready")
    since = ready.get("lastTransitionTime") if ready else None
    return timestamps.parse(since) if since else 0


def is_endpoint(pod: Object, *, terminating: bool) -> bool:
    """Whether a pod can stand behind a Service; ``terminating`` lets in those that are going away."""
    if podlib.is_terminal(pod) or not pod.get("status", {}).get("podIP"):
        return False
    return terminating or "deletionTimestamp" not in pod["metadata"]


def hostname(pod: Object, service: Object) -> str:
    """The name that DNS gives the pod below a headless Service, or ''."""
    spec = pod["spec"]
    same = spec.get("subdomain") == service["metadata"]["name"]
    name: str = spec.get("hostname", "") if same else ""
    return name


def target_port(pod: Object, port: Object) -> int | None:
    """The number of the pod's port that a Service port leads to; None if the pod has no port of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    protocol = port.get("protocol", "TCP")
    sidecars = [one for one in pod["spec"].get("initContainers", ()) if one.get("restartPolicy") == "Always"]
    for container in [*pod["spec"].get("containers", ()), *sidecars]:
        for found in container.get("ports", ()):
            if found.get("name") == target and found.get("protocol", "TCP") == protocol:
                number: int = found["containerPort"]
                return number
    return None


def target(pod: Object) -> Object:
    """The reference to the pod that an endpoint carries."""
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def is_followed(service: Object) -> bool:
    """Whether it is for controllers to find the endpoints of a Service: it has a selector, and is no other name."""
    return service["spec"].get("type") != "ExternalName" and "selector" in service["spec"]


def is_headless(service: Object) -> bool:
    """Whether the Service has no address of its own."""
    return service["spec"].get("clusterIP") in (None, "", "None")


def endpoint_ports(service: Object, pod: Object) -> list[Object]:
    """The ports of a pod that the Service's ports lead to; ports whose name the pod does not have are left out."""
    ports = []
    for port in service["spec"].get("ports", ()):
        number = target_port(pod, port)
        if number is None:
            continue
        found = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
        if "appProtocol" in port:
            found["appProtocol"] = port["appProtocol"]
        ports.append(found)
    return ports
