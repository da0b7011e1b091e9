"""The object of a write on its way in: read, completed with its defaults, and in the place that the URL names.

What a component of the cluster writes is in normal form; it is not read again, and nobody asks which fields it manages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import BadRequest, Conflict
from autograder.controlplane.apimachinery.scheme import PODS, ResourceType
from autograder.controlplane.apimachinery.tracing import changes
from autograder.controlplane.apimachinery.wire import Object, Request
from autograder.controlplane.kube_apiserver import bodies, decoding, defaulting, fieldmanager
from autograder.controlplane.kube_apiserver.attributes import Attributes

#: Kinds that components write in one piece, with nothing in it that other objects share and nothing left to default.
_GIVEN_WHOLE: Final = frozenset({scheme.EVENTS, scheme.LEASES, scheme.ENDPOINTS, scheme.ENDPOINTSLICES})


def of_body(request: Request, kind: ResourceType, attributes: Attributes) -> Object:
    """The object of a write, decoded and defaulted, and ours to change in place."""
    attributes.enter("decoding")
    if request.decoded:
        obj: Any = request.body
        if attributes.subresource == "status" or kind in _GIVEN_WHOLE:
            return {**obj, "metadata": dict(obj["metadata"])}
        obj = copied(obj)
        if "status" in kind.subresources:
            obj.setdefault("status", {})
    else:
        media_type = bodies.media_type(request)
        decoded = decoding.decode(
            request.body, kind.go_type, kind=kind.kind, api_version=kind.api_version,
            field_validation=bodies.field_validation(request), media_type=media_type,
        )  # fmt: skip
        attributes.warnings += decoded.warnings
        attributes.passed("%s in %s from %s", kind.kind, kind.api_version, media_type)
        obj = decoded.object
    _default(kind, attributes, obj)
    return obj


def of_patch(kind: ResourceType, attributes: Attributes, decoded: decoding.Decoded) -> Object:
    """The outcome of a patch with its defaults, as an object that may be changed in place."""
    attributes.warnings += decoded.warnings
    new = decoded.object
    adopt_namespace(new, kind, attributes.namespace)
    check_name(new, attributes.name)
    attributes.passed("%s in %s, patched", kind.kind, kind.api_version)
    _default(kind, attributes, new)
    drop_repeated_owners(new["metadata"], attributes, when=" after mutating admission happens")
    return new


def of_trusted_patch(kind: ResourceType, patched: Object) -> Object:
    """The outcome of a component's patch, which is not read again; what it has emptied goes.

    The time of a pod's condition that nobody has set is written all the same, although a patch that says so removes it.
    """
    metadata = {key: value for key, value in patched["metadata"].items() if value not in ([], {})}
    new = {**patched, "metadata": metadata}
    if kind is PODS and (conditions := (new.get("status") or {}).get("conditions")):
        new["status"] = {**new["status"], "conditions": [{"lastProbeTime": None, **one} for one in conditions]}
    return new


def _default(kind: ResourceType, attributes: Attributes, obj: Object) -> None:
    """Set the defaults of an object that is ours to change."""
    if attributes.trace is None:
        defaulting.default(kind.go_type, obj)
        return
    attributes.trace.enter("defaulting")
    before: Object = copied(obj)
    defaulting.default(kind.go_type, obj)
    attributes.trace.passed(changed=changes(before, obj))


def track(
    request: Request, kind: ResourceType, attributes: Attributes, new: Object, old: Object | None,
    now: Callable[[], str],
) -> None:  # fmt: skip
    """Note in an object which fields the client manages from now on; what components write is not tracked."""
    if request.decoded:
        return
    manager = request.param("fieldManager") or request.headers.get("user-agent", "").partition("/")[0] or "unknown"
    fieldmanager.track_update(kind, new, old, manager=manager, subresource=attributes.subresource, now=now())


def adopt_namespace(obj: Object, kind: ResourceType, namespace: str) -> None:
    """Put an object into the namespace of its URL; ``BadRequest`` if it names another one."""
    meta = obj["metadata"]
    if not kind.namespaced:
        if meta.get("namespace"):
            del meta["namespace"]
        return
    if meta.get("namespace", namespace) != namespace:
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    meta["namespace"] = namespace


def drop_repeated_owners(metadata: Object, attributes: Attributes, *, when: str = "") -> None:
    """Keep of equal owners the first, and warn the client; ``when`` says when they were found."""
    owners = metadata.get("ownerReferences")
    if not owners:
        return
    once = [owner for place, owner in enumerate(owners) if owner not in owners[:place]]
    if len(once) != len(owners):
        metadata["ownerReferences"] = once
        repeated = [owner["uid"] for place, owner in enumerate(owners) if owner in owners[:place]]
        attributes.warnings.append(
            f".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, "
            "and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: "
            + ", ".join(repeated)
        )


def check_name(obj: Object, name: str) -> None:
    """Raise ``BadRequest`` unless the object has the name that stands on the URL."""
    found = obj["metadata"].get("name", "")
    if not found:
        raise BadRequest(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if found != name:
        raise BadRequest(f"the name of the object ({found}) does not match the name on the URL ({name})")


def check_uid(kind: ResourceType, obj: Object, old: Object | None, *, dry_run: bool) -> None:
    """Raise ``Conflict`` when an update names another uid: it means another object of the same name."""
    meta = obj["metadata"]
    if old is not None and meta.get("uid", old["metadata"]["uid"]) not in ("", old["metadata"]["uid"]):
        raise other_uid(kind, old["metadata"], meta["uid"], dry_run=dry_run)


def other_uid(kind: ResourceType, old: Object, uid: str, *, dry_run: bool, resource: str = "") -> Conflict:
    """The conflict of a write that is meant for an object of another uid; ``old`` is the metadata that is stored.

    Of a write that is only tried, etcd is not asked, and so its prefix does not stand before the key.
    """
    key = kind.storage_key(old.get("namespace", ""), old["name"])
    why = (
        f"StorageError: invalid object, Code: 4, Key: {key.removeprefix('/registry') if dry_run else key}, "
        "ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['uid']}"
    )
    return Conflict.on(resource or kind.plural, kind.group, old["name"], why)


def copied(value: Any) -> Any:
    """A deep copy of JSON data."""
    if isinstance(value, dict):
        return {key: copied(one) if isinstance(one, (dict, list)) else one for key, one in value.items()}
    if isinstance(value, list):
        return [copied(one) if isinstance(one, (dict, list)) else one for one in value]
    return value
