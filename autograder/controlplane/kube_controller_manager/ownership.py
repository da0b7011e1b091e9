"""Owner references: who controls an object, and how a controller adopts and releases what its selector picks.

Source: pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autograder.controlplane.apimachinery.errors import Conflict, Invalid, NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.selectors import LabelSelector, of_object
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client, Informer
from autograder.controlplane.client.informer import Delta, object_key


def controller_of(obj: Object) -> Object | None:
    """The owner reference of the object's controller, or None."""
    for reference in obj["metadata"].get("ownerReferences", ()):
        if reference.get("controller"):
            return reference
    return None


def controller_among(owners: Informer, owned: Object) -> Object | None:
    """The object that controls ``owned``, if it is of the informer's kind and still the one that is meant."""
    reference = controller_of(owned)
    if reference is None or reference["kind"] != owners.kind.kind:
        return None
    found = owners.get(owned["metadata"]["namespace"], reference["name"])
    return found if found and found["metadata"]["uid"] == reference["uid"] else None


def by_controller(obj: Object) -> Iterable[str]:
    """Index: the uid of the owner that controls the object."""
    reference = controller_of(obj)
    return (reference["uid"],) if reference else ()


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Whether ``owner`` is the object's controller."""
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def controller_ref(owner: Object) -> Object:
    """The reference that an object controlled by ``owner`` carries."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controllers(owners: Informer, delta: Delta) -> list[str]:
    """The keys of those who control an object that has changed, before and after that."""
    found = [controller_among(owners, state) for state in delta if state is not None]
    return [object_key(owner) for owner in found if owner is not None]


def selector_of(owner: Object) -> LabelSelector:
    """What a workload selects."""
    return of_object(owner["spec"].get("selector"))


def concerned(owners: Informer, delta: Delta, selector: Callable[[Object], LabelSelector] = selector_of) -> list[str]:
    """The keys of the owners whom the change of an object is about: those who control it, or would adopt it.

    Nobody adopts what has no labels, or has changed in something else.  ``owners`` has the index ``namespace``;
    ``selector`` gives the selector of one of them.
    """
    keys, (old, new) = controllers(owners, delta), delta
    if new is None or controller_of(new) is not None or (old is not None and _attributes(old) == _attributes(new)):
        return keys
    labels, candidates = new["metadata"].get("labels"), owners.by_index("namespace", new["metadata"]["namespace"])
    return keys + [object_key(one) for one in candidates if labels and selector(one).matches(labels)]


def _attributes(obj: Object) -> tuple[object, object]:
    """What of an object decides whose it is."""
    return obj["metadata"].get("labels"), controller_of(obj)


@dataclass(slots=True)
class RefManager:
    """Claims objects of one ``kind`` for one owner, by its selector.

    ``finalizers`` are put on what is adopted and taken off what is released.
    """

    client: Client
    owner_kind: ResourceType
    owner: Object
    selector: LabelSelector
    kind: ResourceType
    finalizers: tuple[str, ...] = ()
    _checked: bool = False

    def claim(self, candidates: Iterable[Object]) -> list[Object]:
        """The candidates that belong to the owner: orphans that match are adopted, own ones that don't are released.

        A candidate that was adopted is returned as it now is.  A ``StatusError`` of one candidate is raised after all
        have been looked at.
        """
        claimed: list[Object] = []
        failure: StatusError | None = None
        for candidate in candidates:
            try:
                own = self._claimed(candidate)
            except NotFound:
                continue
            except StatusError as error:
                failure = failure or error
                continue
            if own is not None:
                claimed.append(own)
        if failure:
            raise failure
        return claimed

    def _claimed(self, candidate: Object) -> Object | None:
        """The candidate if it belongs to the owner, which it may do only from now on."""
        meta, owner = candidate["metadata"], self.owner["metadata"]
        reference = controller_of(candidate)
        if reference is not None and reference["uid"] != owner["uid"]:
            return None
        matches = self.selector.matches(meta.get("labels"))
        if reference is not None and matches:
            return candidate
        if "deletionTimestamp" in owner:
            return None
        if reference is not None:
            self._release(candidate)
        elif matches and "deletionTimestamp" not in meta:
            return self._adopt(candidate)
        return None

    def _adopt(self, candidate: Object) -> Object:
        if not self._checked:
            self._check_owner()
        meta = candidate["metadata"]
        patch: Object = {"ownerReferences": [controller_ref(self.owner)], "uid": meta["uid"]}
        if self.finalizers:
            patch["finalizers"] = list(self.finalizers)
        return self.client.patch(self.kind, meta.get("namespace", ""), meta["name"], {"metadata": patch})

    def _release(self, candidate: Object) -> None:
        meta, uid = candidate["metadata"], self.owner["metadata"]["uid"]
        patch: Object = {"ownerReferences": [{"$patch": "delete", "uid": uid}], "uid": meta["uid"]}
        if self.finalizers:
            patch["$deleteFromPrimitiveList/finalizers"] = list(self.finalizers)
        try:
            self.client.patch(self.kind, meta.get("namespace", ""), meta["name"], {"metadata": patch})
        except Invalid:
            # An object of the same name has taken its place, or it has no owners any more: nothing is left to release.
            return

    def _check_owner(self) -> None:
        """The informer may be old: an owner that is being deleted must not adopt."""
        meta = self.owner["metadata"]
        fresh = self.client.get(self.owner_kind, meta.get("namespace", ""), meta["name"])["metadata"]
        if fresh["uid"] != meta["uid"] or "deletionTimestamp" in fresh:
            why = f"{meta.get('namespace', '')}/{meta['name']} has just been deleted"
            raise Conflict.on(self.owner_kind.plural, self.owner_kind.group, meta["name"], why)
        self._checked = True
