"""Pods: graceful deletion, binding to a node, and eviction within disruption budgets."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import BadRequest, Conflict, Invalid, TooManyRequests
from autograder.controlplane.apimachinery.field import FieldError, Path, not_supported, required
from autograder.controlplane.apimachinery.scheme import PODDISRUPTIONBUDGETS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.pod_topology_labels import labels_of
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.incoming import other_uid
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions

DEFAULT_GRACE: Final = 30
SUCCESS: Final[Object] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


class PodRegistry(Registry):
    """The pods."""

    def grace_period(self, obj: Object, options: DeleteOptions) -> int:
        spec = obj["spec"]
        asked = options.grace_period
        period: int = spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE) if asked is None else asked
        if not spec.get("nodeName") or obj.get("status", {}).get("phase") in ("Failed", "Succeeded"):
            return 0
        return 1 if period < 0 else period

    def delete(self, attributes: Attributes, options: DeleteOptions) -> tuple[Object, bool]:
        last, gone = super().delete(attributes, options)
        return (self._as_ended(last) if gone else last), gone

    def _as_ended(self, pod: Object) -> Object:
        """A pod that is gone, as its deletion answers with it: marked, as if it had been given no time."""
        meta = {"deletionTimestamp": self.backend.now(), **pod["metadata"], "deletionGracePeriodSeconds": 0}
        if "deletionTimestamp" not in pod["metadata"] and meta.get("generation"):
            meta["generation"] += 1
        return {**pod, "metadata": meta}

    def validate_update(self, attributes: Attributes, new: Object, old: Object) -> list[FieldError]:
        # A Binding sets the node, which nobody else may change; ``bind`` has judged it.
        return [] if attributes.subresource == "binding" else super().validate_update(attributes, new, old)

    def bind(self, attributes: Attributes, binding: Object) -> Object:
        """Assign a pod to the node that a Binding names; a pod is bound once."""
        target = binding.get("target", {})
        path = Path("target")
        errors = []
        if target.get("kind", "Node") not in ("", "Node"):
            errors.append(not_supported(path.child("kind"), target["kind"], ["Node", "<empty>"]))
        if not target.get("name"):
            errors.append(required(path.child("name")))
        if errors:
            raise Invalid.on("Binding", "", attributes.name, errors)

        def transform(old: Object | None) -> Object:
            assert old is not None
            return self._bound(attributes, old, binding, target["name"])

        self.update(attributes, transform)
        return SUCCESS

    def evict(self, attributes: Attributes, eviction: Object, options: DeleteOptions) -> Object:
        """Delete a pod if the disruption budgets that select it allow it; otherwise 429, try again later."""
        pod = self.get(attributes.namespace, attributes.name)
        if pod["metadata"].get("deletionTimestamp") or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            self.delete(attributes, options)
            return SUCCESS
        if pod.get("status", {}).get("phase") != "Pending":
            self._spend_budget(attributes, pod)
        self.delete(attributes, options)
        return SUCCESS

    def _bound(self, attributes: Attributes, old: Object, binding: Object, node: str) -> Object:
        meta, spec = old["metadata"], old["spec"]
        name = f"pod {meta['name']}"
        uid = binding["metadata"].get("uid")
        if uid and uid != meta["uid"]:
            raise other_uid(self.kind, meta, uid, resource="pods/binding")
        if meta.get("deletionTimestamp"):
            raise Conflict.on(
                "pods/binding", "", attributes.name, f"{name} is being deleted, cannot be assigned to a host"
            )
        if spec.get("nodeName"):
            why = f'{name} is already assigned to node "{spec["nodeName"]}"'
            raise Conflict.on("pods/binding", "", attributes.name, why)
        if spec.get("schedulingGates"):
            raise Conflict.on("pods/binding", "", attributes.name, f"{name} has non-empty .spec.schedulingGates")
        new_meta = dict(meta)
        annotations = binding["metadata"].get("annotations")
        if annotations:
            new_meta["annotations"] = {**meta.get("annotations", {}), **annotations}
        labels = {**(binding["metadata"].get("labels") or {}), **labels_of(self.backend, node)}
        if labels:
            new_meta["labels"] = dict(sorted({**meta.get("labels", {}), **labels}.items()))
        status = dict(old.get("status", {}))
        others = [one for one in status.get("conditions", ()) if one["type"] != "PodScheduled"]
        scheduled = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self.backend.now(),
        }
        if "generation" in meta:
            scheduled["observedGeneration"] = meta["generation"]
        status["conditions"] = [*others, scheduled]
        status.pop("nominatedNodeName", None)
        return {**old, "metadata": new_meta, "spec": {**spec, "nodeName": node}, "status": status}

    def _spend_budget(self, attributes: Attributes, pod: Object) -> None:
        """Take one disruption from the budget that selects the pod; ``TooManyRequests`` when there is none left."""
        budgets = [
            budget
            for budget in self.backend.read_all(PODDISRUPTIONBUDGETS, attributes.namespace)
            if selectors.of_object(budget["spec"].get("selector")).matches(pod["metadata"].get("labels"))
        ]
        if not budgets:
            return
        if len(budgets) > 1:
            raise BadRequest(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        budget = budgets[0]
        meta, status = budget["metadata"], budget.get("status", {})
        name = meta["name"]
        if status.get("observedGeneration", 0) < meta.get("generation", 0):
            raise self._refused(f"The disruption budget {name} is still being processed by the server.")
        allowed = status.get("disruptionsAllowed", 0)
        if allowed <= 0:
            healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
            raise self._refused(f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently")
        disrupted = {**status.get("disruptedPods", {}), pod["metadata"]["name"]: self.backend.now()}
        new_status = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
        key = PODDISRUPTIONBUDGETS.storage_key(attributes.namespace, name)
        if not attributes.dry_run:
            self.backend.store.put(key, {**budget, "status": new_status}, expected=None)

    @staticmethod
    def _refused(why: str) -> TooManyRequests:
        message = "Cannot evict pod as it would violate the pod's disruption budget."
        return TooManyRequests(message, details={"causes": [{"reason": "DisruptionBudget", "message": why}]})
