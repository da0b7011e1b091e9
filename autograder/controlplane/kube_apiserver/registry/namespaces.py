"""Namespaces end in two steps: a deletion marks them Terminating; they are gone when nothing is left to finalize."""

from __future__ import annotations

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import Conflict
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions


class NamespaceRegistry(Registry):
    """The namespaces; ``spec.finalizers`` keeps one until the namespace controller has emptied it."""

    def is_finished(self, new: Object, old: Object) -> bool:
        return not new.get("spec", {}).get("finalizers") and super().is_finished(new, old)

    def begin_deletion(self, old: Object, options: DeleteOptions) -> Object | None:
        if not old.get("spec", {}).get("finalizers"):
            return super().begin_deletion(old, options)
        if old["metadata"].get("deletionTimestamp"):
            return old
        meta = {**old["metadata"], "deletionTimestamp": timestamps.time(self.backend.clock.now)}
        finalizers = self.deletion_finalizers(meta.get("finalizers", []), options)
        if finalizers:
            meta["finalizers"] = finalizers
        return {**old, "metadata": meta, "status": {**old.get("status", {}), "phase": "Terminating"}}

    def check_preconditions(self, meta: Object, options: DeleteOptions, name: str) -> None:
        for key, label, wanted in (
            ("uid", "UID", options.uid),
            ("resourceVersion", "ResourceVersion", options.revision),
        ):
            if wanted and wanted != meta[key]:
                why = f"Precondition failed: {label} in precondition: {wanted}, {label} in object meta: {meta[key]}"
                raise Conflict.on(self.kind.plural, self.kind.group, name, why)

    def finalize(self, attributes: Attributes, finalizers: list[str]) -> Object:
        """Set what still has to happen before the namespace may go."""

        def transform(old: Object | None) -> Object:
            assert old is not None
            spec = {**old.get("spec", {}), "finalizers": finalizers}
            if not finalizers:
                del spec["finalizers"]
            return {**old, "metadata": dict(old["metadata"]), "spec": spec}

        return self.update(attributes, transform)[0]
