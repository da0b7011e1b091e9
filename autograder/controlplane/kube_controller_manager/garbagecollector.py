"""The garbage collector: what is owned goes after its owner, before it, or is let go, as the deletion asked.

* Background: the owner is gone; whatever it owned, and nobody else does, is deleted.
* Foreground: the owner waits (finalizer ``foregroundDeletion``) until those of its dependents are gone that block it.
* Orphan: the owner waits (finalizer ``orphan``) until its dependents have been told that they have no owner.

The informers are the graph: an index finds the dependents of a uid.  Source: pkg/controller/garbagecollector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import BY_KIND, BY_PLURAL, NAMESPACES, RESOURCES, ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.client import MERGE_PATCH
from autograder.controlplane.client.informer import Delta
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"
#: Events come and go by themselves.
WATCHED: Final = tuple(
    kind for kind in RESOURCES if kind.plural != "events" and {"delete", "list", "watch"} <= set(kind.verbs)
)
BY_OWNERS: Final = "owners"


def by_owners(obj: Object) -> Iterable[str]:
    """Index: the uids of all owners."""
    return [reference["uid"] for reference in obj["metadata"].get("ownerReferences", ())]


class Item(NamedTuple):
    """One object of the graph."""

    kind: ResourceType
    object: Object

    @property
    def uid(self) -> str:
        uid: str = self.object["metadata"]["uid"]
        return uid

    @property
    def namespace(self) -> str:
        namespace: str = self.object["metadata"].get("namespace", "")
        return namespace

    @property
    def name(self) -> str:
        name: str = self.object["metadata"]["name"]
        return name

    @property
    def owners(self) -> list[Object]:
        owners: list[Object] = self.object["metadata"].get("ownerReferences", [])
        return owners

    @property
    def key(self) -> str:
        """The item in a work queue; names of objects contain no space."""
        return " ".join((self.kind.plural, self.kind.group, self.namespace, self.name))

    def waits_with(self, finalizer: str) -> bool:
        """Whether it is being deleted and a finalizer of this name keeps it."""
        meta = self.object["metadata"]
        return "deletionTimestamp" in meta and finalizer in meta.get("finalizers", ())

    def blocks(self, owner: str) -> bool:
        """Whether an owner that is deleted in the foreground must wait for this item."""
        return any(one["uid"] == owner and one.get("blockOwnerDeletion") for one in self.owners)


class GarbageCollector(Controller):
    """Deletes what nobody owns any more."""

    name = "garbage-collector-controller"
    service_account = "generic-garbage-collector"
    event_source = "garbage-collector-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.graph = {kind: self.informers.informer(kind, **{BY_OWNERS: by_owners}) for kind in WATCHED}

    def subscriptions(self) -> Subscriptions:
        return dict.fromkeys(self.graph.values(), self.on_object)

    def on_object(self, delta: Delta) -> None:
        item = Item(BY_KIND[delta.object["apiVersion"], delta.object["kind"]], delta.object)
        if delta.new is None:
            self._gone(item)
            return
        before = delta.old["metadata"].get("ownerReferences", []) if delta.old else []
        owners = item.owners
        if owners != before:
            self._enqueue_unblocked(before, item)
        if owners and (owners != before) and not all(self._find_owner(item, one) for one in owners):
            self.queue.add(item.key)
        if item.waits_with(ORPHAN):
            self.queue.add(item.key)
        elif item.waits_with(FOREGROUND):
            self._enqueue(self._dependents(item.uid))
            self.queue.add(item.key)

    def _gone(self, item: Item) -> None:
        self._enqueue(self._dependents(item.uid))
        for reference in item.owners:
            owner = self._find_owner(item, reference)
            if owner and owner.waits_with(FOREGROUND):
                self.queue.add(owner.key)

    def _enqueue_unblocked(self, before: list[Object], item: Item) -> None:
        """Owners that this item no longer blocks may be waiting for just that."""
        for reference in before:
            if reference.get("blockOwnerDeletion") and not item.blocks(reference["uid"]):
                owner = self._find_owner(item, reference)
                if owner:
                    self.queue.add(owner.key)

    def _enqueue(self, items: Iterable[Item]) -> None:
        for item in items:
            self.queue.add(item.key)

    def _dependents(self, uid: str) -> Iterator[Item]:
        for kind, informer in self.graph.items():
            for obj in informer.by_index(BY_OWNERS, uid):
                yield Item(kind, obj)

    def _find_owner(self, item: Item, reference: Object) -> Item | None:
        """The owner that a reference names, if it exists; it lives in the namespace of what it owns, or in none."""
        kind = BY_KIND.get((reference["apiVersion"], reference["kind"]))
        informer = self.graph.get(kind) if kind else None
        if kind is None or informer is None:
            return None
        found = informer.get(item.namespace if kind.namespaced else "", reference["name"])
        return Item(kind, found) if found and found["metadata"]["uid"] == reference["uid"] else None

    def reconcile(self, key: str) -> None:
        plural, group, namespace, name = key.split(" ")
        kind = BY_PLURAL[group, plural]
        found = self.graph[kind].get(namespace, name)
        if found is None:
            return
        item = Item(kind, found)
        if item.waits_with(ORPHAN):
            self._orphan_dependents(item)
        elif item.waits_with(FOREGROUND):
            self._await_dependents(item)
        elif "deletionTimestamp" not in found["metadata"] and item.owners:
            self._collect(item)

    def _collect(self, item: Item) -> None:
        """Delete an item that has no owner left but such as are waiting for it."""
        solid, waiting, dangling = [], [], []
        for reference in item.owners:
            owner = self._find_owner(item, reference)
            if owner is None and (reference["apiVersion"], reference["kind"]) in BY_KIND:
                dangling.append(reference["uid"])
                self._tell_if_misplaced(item, reference)
            elif owner is not None and owner.waits_with(FOREGROUND):
                waiting.append(reference["uid"])
            else:
                solid.append(reference["uid"])
        if solid:
            if dangling or waiting:
                self._release(item, [*dangling, *waiting])
        elif waiting and (dependents := list(self._dependents(item.uid))):
            if any(one.waits_with(FOREGROUND) for one in dependents):
                self._unblock_owners(item)
            self._delete(item, "Foreground")
        else:
            finalizers = item.object["metadata"].get("finalizers", ())
            kept = {ORPHAN: "Orphan", FOREGROUND: "Foreground"}
            self._delete(item, next((kept[one] for one in (ORPHAN, FOREGROUND) if one in finalizers), "Background"))

    def _orphan_dependents(self, owner: Item) -> None:
        for dependent in self._dependents(owner.uid):
            self._release(dependent, [owner.uid])
        self._remove_finalizer(owner, ORPHAN)

    def _await_dependents(self, owner: Item) -> None:
        blocking = [one for one in self._dependents(owner.uid) if one.blocks(owner.uid)]
        if not blocking:
            self._remove_finalizer(owner, FOREGROUND)
        self._enqueue(one for one in blocking if not one.waits_with(FOREGROUND))

    def _release(self, item: Item, owners: list[str]) -> None:
        """Take references to these owners off an item."""
        references = [{"$patch": "delete", "uid": uid} for uid in owners]
        patch = {"metadata": {"ownerReferences": references, "uid": item.uid}}
        try:
            self.client.patch(item.kind, item.namespace, item.name, patch)
        except NotFound:
            return

    def _unblock_owners(self, item: Item) -> None:
        """Items that wait for each other would wait for ever."""
        references = [{"uid": one["uid"], "blockOwnerDeletion": False} for one in item.owners]
        self.client.patch(item.kind, item.namespace, item.name, {"metadata": {"ownerReferences": references}})

    def _delete(self, item: Item, propagation: str) -> None:
        self.client.delete_if_there(item.kind, item.namespace, item.name, uid=item.uid, propagation=propagation)

    def _remove_finalizer(self, item: Item, finalizer: str) -> None:
        kept = [one for one in item.object["metadata"].get("finalizers", ()) if one != finalizer]
        patch = {"metadata": {"finalizers": kept, "uid": item.uid}}
        try:
            self.client.patch(item.kind, item.namespace, item.name, patch, patch_type=MERGE_PATCH)
        except NotFound:
            return

    def _tell_if_misplaced(self, item: Item, reference: Object) -> None:
        """An owner that lives in another namespace is a mistake worth telling."""
        kind = BY_KIND[reference["apiVersion"], reference["kind"]]
        informer = self.graph.get(kind)
        if informer is None or not kind.namespaced:
            return
        namespaces = [one["metadata"]["name"] for one in self.graph[NAMESPACES]]
        elsewhere = [found for one in namespaces if (found := informer.get(one, reference["name"]))]
        if any(found["metadata"]["uid"] == reference["uid"] for found in elsewhere):
            parts = (
                f"{kind.api_version}/{kind.kind}", f"namespace: {item.namespace}", f"name: {reference['name']}",
                f"uid: {reference['uid']}",
            )  # fmt: skip
            message = f'ownerRef [{", ".join(parts)}] does not exist in namespace "{item.namespace}"'
            self.recorder.event(item.object, "Warning", "OwnerRefInvalidNamespace", message)
