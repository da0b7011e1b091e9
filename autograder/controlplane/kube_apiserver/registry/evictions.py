"""Evictions: a pod is deleted if the disruption budget that selects it allows it, and says that it was evicted.

Source: pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import Forbidden, TooManyRequests, Unclassified
from autograder.controlplane.apimachinery.scheme import PODDISRUPTIONBUDGETS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions

SUCCESS: Final[Object] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

#: Evictions that a budget notes until its controller has seen them.
MOST_DISRUPTED: Final = 2000
#: Seconds after which a client may ask again of a budget that was changed and not looked at since.
RETRY_SECONDS: Final = 10

_NOW_NOT: Final = "does not allow evicting pods currently"
_CONDITION: Final = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


def evict(pods: Registry, attributes: Attributes, options: DeleteOptions) -> Object:
    """Delete a pod as far as budgets allow it; ``TooManyRequests`` where they do not: try again later."""
    pod = pods.get(attributes.namespace, attributes.name)
    if not _is_over(pod):
        _spend_budget(pods, attributes, pod)
    if not attributes.dry_run:
        options = _marked(pods, attributes, options)
    pods.delete(attributes, options)
    return SUCCESS


def _is_over(pod: Object) -> bool:
    """Whether the pod does nothing yet, or any longer, that an eviction could disrupt."""
    phase = pod.get("status", {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _marked(pods: Registry, attributes: Attributes, options: DeleteOptions) -> DeleteOptions:
    """Write into the pod why it ends; the options hold for the pod as it stands then."""
    found = pods.backend.store.get(pods.kind.storage_key(attributes.namespace, attributes.name))
    assert found is not None
    pod: Object = found.value
    pods.check_preconditions(pod["metadata"], options, attributes.name)
    status = pod.get("status", {})
    conditions = _with(status.get("conditions", ()), _CONDITION, pods.backend.now(), lastProbeTime=None)
    stored = pods.backend.store.put(
        found.key, {**pod, "status": {**status, "conditions": conditions}}, expected=found.mod_revision
    )
    return replace(options, revision=stored.value["metadata"]["resourceVersion"]) if options.revision else options


def _with(conditions: Any, condition: Object, now: str, **more: Any) -> list[Object]:
    """The conditions with one of them as it is now; it changed now unless it has that status already."""
    same = next((one for one in conditions if one["type"] == condition["type"]), None)
    since = same["lastTransitionTime"] if same and same["status"] == condition["status"] else now
    new = {**condition, **more, "lastTransitionTime": since}
    return [new if one is same else one for one in conditions] if same else [*conditions, new]


# ---------------------------------------------------------------- budgets


def _spend_budget(pods: Registry, attributes: Attributes, pod: Object) -> None:
    """Take one disruption from the budget that selects the pod, if it counts; ``TooManyRequests`` if none is left."""
    budgets = [
        budget
        for budget in pods.backend.read_all(PODDISRUPTIONBUDGETS, attributes.namespace)
        if selectors.of_object(budget["spec"].get("selector")).matches(pod["metadata"].get("labels"))
    ]
    if not budgets:
        return
    if len(budgets) > 1:
        raise Unclassified(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
    budget = budgets[0]
    if not _is_ready(pod) and _spares_unhealthy(budget):
        return
    _check_allowed(budget)
    meta, status = budget["metadata"], budget["status"]
    allowed = status["disruptionsAllowed"] - 1
    disrupted = {**status.get("disruptedPods", {}), pod["metadata"]["name"]: pods.backend.now()}
    new = {**status, "disruptionsAllowed": allowed, "disruptedPods": disrupted}
    if not allowed:
        insufficient = {"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": ""}
        insufficient["observedGeneration"] = status.get("observedGeneration", 0)
        new["conditions"] = _with(status.get("conditions", ()), insufficient, pods.backend.now())
    if not attributes.dry_run:
        key = PODDISRUPTIONBUDGETS.storage_key(attributes.namespace, meta["name"])
        pods.backend.store.put(key, {**budget, "status": new}, expected=None)


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _spares_unhealthy(budget: Object) -> bool:
    """Whether a pod that is not ready may go without being counted."""
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status", {})
    wanted: int = status.get("desiredHealthy", 0)
    return bool(0 < wanted <= status.get("currentHealthy", 0))


def _check_allowed(budget: Object) -> None:
    meta, status = budget["metadata"], budget.get("status", {})
    name = meta["name"]
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", RETRY_SECONDS)
    allowed = status.get("disruptionsAllowed", 0)
    wrong = ""
    if allowed < 0:
        wrong = "pdb disruptions allowed is negative"
    elif len(status.get("disruptedPods", {})) > MOST_DISRUPTED:
        wrong = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
    if wrong:
        raise Forbidden.on("poddisruptionbudget", PODDISRUPTIONBUDGETS.group, name, wrong)
    if not allowed:
        raise _refused(f"The disruption budget {name} {_why_none(status)}")


def _why_none(status: Object) -> str:
    """Why a budget allows no disruption, in the words for whoever asks."""
    conditions = (one for one in status.get("conditions", ()) if one["type"] == "DisruptionAllowed")
    condition: Object = next(conditions, {})
    told = condition.get("message") if condition.get("status") == "False" else ""
    reason = condition.get("reason")
    healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if told and reason == "SyncFailed":
        return f"{_NOW_NOT} because it failed sync: {told}"
    if healthy <= wanted:
        return f"needs {wanted} healthy pods and has {healthy} currently"
    return f"{_NOW_NOT} ({reason}): {told}" if told else _NOW_NOT


def _refused(why: str, seconds: int = 0) -> TooManyRequests:
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if seconds:
        details["retryAfterSeconds"] = seconds
    return TooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", details=details)
