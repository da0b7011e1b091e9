"""Pods: graceful deletion, and binding to a node."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import Conflict, Invalid
from autograder.controlplane.apimachinery.field import FieldError, Path, not_supported, required
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.pod_topology_labels import labels_of
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.incoming import other_uid
from autograder.controlplane.kube_apiserver.registry.evictions import SUCCESS
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions

DEFAULT_GRACE: Final = 30


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

    def _bound(self, attributes: Attributes, old: Object, binding: Object, node: str) -> Object:
        meta, spec = old["metadata"], old["spec"]
        name = f"pod {meta['name']}"
        uid = binding["metadata"].get("uid")
        if uid and uid != meta["uid"]:
            raise other_uid(self.kind, meta, uid, dry_run=attributes.dry_run, resource="pods/binding")
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
