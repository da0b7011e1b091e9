"""The resource quota controller: counts what a namespace really uses, and writes it into its quotas.

Admission charges what is created; this controller gives back what is freed, takes over changed limits, and recounts
every five minutes.  Source: pkg/controller/resourcequota.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import quota, resources
from autograder.controlplane.apimachinery.resources import ResourceList
from autograder.controlplane.apimachinery.scheme import (
    PERSISTENTVOLUMECLAIMS,
    PODS,
    RESOURCEQUOTAS,
    RESOURCES,
    SERVICES,
    ResourceType,
)
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.pods import is_terminal

RESYNC: Final = 300 * SECOND
RESYNC_ALL: Final = ""

#: What can be counted, each collection once.
COUNTED: Final = tuple(kind for kind in RESOURCES if kind.namespaced and "list" in kind.verbs)
#: Kinds whose usage an update can change.
RESIZABLE: Final = (SERVICES.kind, PERSISTENTVOLUMECLAIMS.kind)


class ResourceQuotaController(Controller):
    """Keeps the status of every ResourceQuota."""

    name = "resourcequota-controller"
    service_account = "resourcequota-controller"
    event_source = "resourcequota-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.quotas = self.informers.informer(RESOURCEQUOTAS, namespace=by_namespace)
        self.counted = [self.informers.informer(kind) for kind in COUNTED if kind.plural != "events"]

    def subscriptions(self) -> Subscriptions:
        heard: Subscriptions = dict.fromkeys(self.counted, self.on_usage)
        heard[self.informers.informer(PODS)] = self.on_pod
        heard[self.quotas] = self.on_quota
        return heard

    def start(self) -> None:
        self.queue.add_after(RESYNC_ALL, RESYNC, periodic=True)

    def on_quota(self, delta: Delta) -> None:
        old, new = delta
        if new is not None and (old is None or old["spec"] != new["spec"]):
            self.queue.add(object_key(new))
        elif new is None:
            self._replenish(delta.object)

    def on_pod(self, delta: Delta) -> None:
        """A pod that ends gives back what it used."""
        if delta.new is None or (delta.old is not None and is_terminal(delta.new) and not is_terminal(delta.old)):
            self._replenish(delta.object)

    def on_usage(self, delta: Delta) -> None:
        changed = delta.old is not None and delta.object["kind"] in RESIZABLE
        if delta.new is None or changed:
            self._replenish(delta.object)

    def _replenish(self, obj: Object) -> None:
        for one in self.quotas.by_index("namespace", obj["metadata"]["namespace"]):
            self.queue.add(object_key(one))

    def reconcile(self, key: str) -> None:
        if key == RESYNC_ALL:
            for one in self.quotas:
                self.queue.add(object_key(one))
            self.queue.add_after(RESYNC_ALL, RESYNC, periodic=True)
            return
        found = self.quotas.get_by_key(key)
        if found is None:
            return
        hard, status = found["spec"].get("hard", {}), found.get("status", {})
        used = self._usage(found, hard)
        known = status.get("used")
        if status.get("hard") == hard and known is not None and resources.parsed(known) == used:
            return
        changed = {**found, "status": {"hard": hard, "used": resources.texts(used)} if hard else {}}
        if changed["status"] != status:
            self.client.update(RESOURCEQUOTAS, changed, "status")

    def _usage(self, one: Object, hard: dict[str, str]) -> ResourceList:
        """What the objects of the quota's namespace use of the resources that it limits."""
        known = resources.parsed(one.get("status", {}).get("used"))
        used = {name: amount for name, amount in known.items() if name in hard}
        for kind in COUNTED:
            if names := quota.matching_resources(kind, hard):
                used |= self._usage_of(kind, one, names)
        return used

    def _usage_of(self, kind: ResourceType, one: Object, names: set[str]) -> ResourceList:
        objects, _ = self.client.list(kind, one["metadata"]["namespace"])
        counted = [obj for obj in objects if quota.in_scopes(one, kind, obj)]
        usages = [dict.fromkeys(names, quota.ZERO)]
        for obj in counted:
            usage = quota.usage(kind, obj, self.clock.now)
            usages.append({name: amount for name, amount in usage.items() if name in names})
        return resources.total(usages)
