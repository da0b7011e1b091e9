"""What may change in the status of a pod.

Source: ValidatePodStatusUpdate in pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.addresses import family_of, validate_address
from autograder.controlplane.kube_apiserver.validation.meta import immutable, invalid, validate_metadata_update
from autograder.controlplane.kube_apiserver.validation.pod_updates import validate_annotations_update

Object = Mapping[str, Any]

_STATUS: Final = Path("status")
SYSTEM_CONDITIONS: Final = frozenset({"PodScheduled", "Ready", "Initialized"})


def validate_pod_status_update(new: Object, old: Object) -> Iterator[FieldError]:
    """The changed status of a pod."""
    status, before = new["status"], old["status"]
    yield from validate_metadata_update(new["metadata"], old["metadata"])
    yield from validate_annotations_update(new, old)
    for position, condition in enumerate(status.get("conditions", ())):
        at = _STATUS.child("conditions").index(position)
        generation, kind = condition.get("observedGeneration", 0), condition["type"]
        if generation < 0:
            yield field.invalid(at.child("observedGeneration"), generation, "must be a non-negative integer")
        if kind not in SYSTEM_CONDITIONS:
            yield from invalid(at.child("Type"), kind, names.label_key(kind))
    if new["spec"].get("nodeName") != old["spec"].get("nodeName"):
        yield field.forbidden(_STATUS.child("nodeName"), "may not be changed directly")
    nominated = status.get("nominatedNodeName", "")
    if nominated and nominated != before.get("nominatedNodeName"):
        at = _STATUS.child("nominatedNodeName")
        yield from invalid(at, nominated, names.dns_subdomain(nominated))
        if old["spec"].get("nodeName"):
            yield field.forbidden(at, "may not be set on pods that are already bound to a node")
    if status.get("observedGeneration", 0) < 0:
        at = _STATUS.child("observedGeneration")
        yield field.invalid(at, status["observedGeneration"], "must be a non-negative integer")
    yield from immutable(status.get("qosClass", ""), before.get("qosClass", ""), _STATUS.child("qosClass"))
    yield from _ended_stays_ended(status, before, old["spec"])
    yield from _addresses(status, before)


def _ended_stays_ended(status: Object, before: Object, spec: Object) -> Iterator[FieldError]:
    """A container that has ended for good does not come back."""
    if _all_may_restart(spec):
        kinds: tuple[str, ...] = ("ephemeralContainers",)
    else:
        kinds = ("containers", "initContainers", "ephemeralContainers")
    for kind in kinds:
        name = f"{kind.removesuffix('s')}Statuses"
        running = {one["name"] for one in status.get(name, ()) if "terminated" not in one.get("state", {})}
        containers = {one["name"]: one for one in spec.get(kind) or ()}
        for position, was in enumerate(before.get(name, ())):
            ended = was.get("state", {}).get("terminated")
            if ended is None or was["name"] not in running:
                continue
            container = containers.get(was["name"], {})
            if kind == "ephemeralContainers" or not _restarts(container, spec, ended.get("exitCode", 0)):
                at = _STATUS.child(name).index(position).child("state")
                yield field.forbidden(at, "may not be transitioned to non-terminated state")


def _all_may_restart(spec: Object) -> bool:
    """Whether a rule of some container restarts all of them."""
    return any(
        rule.get("action") == "RestartAllContainers"
        for kind in ("containers", "initContainers")
        for container in spec.get(kind) or ()
        for rule in container.get("restartPolicyRules", ())
    )


def _restarts(container: Object, spec: Object, code: int) -> bool:
    for rule in container.get("restartPolicyRules", ()):
        codes = rule.get("exitCodes") or {}
        listed = code in (codes.get("values") or ())
        if listed == (codes.get("operator") == "In") and rule.get("action") == "Restart":
            return True
    policy = container.get("restartPolicy") or spec.get("restartPolicy")
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def _addresses(status: Object, before: Object) -> Iterator[FieldError]:
    for name in ("podIPs", "hostIPs"):
        given = [one.get("ip", "") for one in status.get(name, ())]
        had = {one.get("ip", "") for one in before.get(name, ())}
        at = _STATUS.child(name)
        if name == "hostIPs" and given and status.get("hostIP", "") != given[0]:
            yield field.invalid(at.index(0).child("ip"), given[0], "must be equal to `hostIP`")
        for position, address in enumerate(given):
            yield from validate_address(address, at.index(position), had)
        families = [family_of(address) for address in given]
        if len(families) != len(set(families)):
            shown = [{"IP": address} for address in given]
            yield field.invalid(at, shown, "may specify no more than one IP for each IP family")
