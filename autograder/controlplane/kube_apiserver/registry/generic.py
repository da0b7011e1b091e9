"""The generic registry: creating, updating and deleting the objects of one kind, which a ``Reader`` reads.

The order of steps is that of apiserver/pkg/registry/generic/registry: admission changes the new object, the kind's
rules prepare it, validation judges it, admission validates, the store keeps it.  What only one kind does is in a
subclass that overrides the hooks.
"""

from __future__ import annotations

from collections.abc import Callable

from autograder.controlplane.apimachinery import field, integers, timestamps
from autograder.controlplane.apimachinery.errors import AlreadyExists, Conflict, Invalid, Unclassified
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.etcd import KeyValue, WriteConflict
from autograder.controlplane.kube_apiserver import preparing, validation, warnings
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions
from autograder.controlplane.kube_apiserver.registry.reader import Reader

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
ORPHAN_FINALIZER = "orphan"
FOREGROUND_FINALIZER = "foregroundDeletion"

#: Subresources with rules of their own: how these end the name of the type.
_RULES_OF_PARTS = {
    "ephemeralcontainers": "EphemeralContainers", "finalize": "Finalize", "resize": "Resize", "status": "Status",
}  # fmt: skip

#: Gives the new state of an object from the one that stands now (None: there is none).
Transform = Callable[[Object | None], Object]

Errors = list[FieldError]
Names = list[str]


class Registry(Reader):
    """The objects of one kind."""

    def __init__(self, kind: ResourceType, backend: Backend, admission: AdmissionChain) -> None:
        super().__init__(kind, backend)
        self.admission = admission

    # ------------------------------------------------------------ hooks

    def begin_create(self, attributes: Attributes, obj: Object) -> None:
        """What must be allocated before a new object is validated."""

    def begin_update(self, attributes: Attributes, new: Object, old: Object) -> None:
        """What must be allocated before a changed object is validated."""

    def grace_period(self, obj: Object, options: DeleteOptions) -> int:
        """Seconds between the deletion and the end of an object; 0 ends it at once."""
        return 0

    def validate_update(self, attributes: Attributes, new: Object, old: Object) -> Errors:
        """What is wrong with a changed object."""
        part = _RULES_OF_PARTS.get(attributes.subresource, "")
        return validation.validate_update(self.kind.go_type + part, new, old)

    def is_finished(self, new: Object, old: Object) -> bool:
        """Whether an update takes away the last thing that kept an object which is being deleted."""
        meta = old["metadata"]
        deleting = bool(meta.get("deletionTimestamp")) and not meta.get("deletionGracePeriodSeconds")
        return deleting and not new["metadata"].get("finalizers")

    def delete_warnings(self, options: DeleteOptions) -> Names:
        """What a client is told who deletes an object in this way."""
        return []

    def finish_delete(self, attributes: Attributes, obj: Object) -> None:
        """What must go with an object that has just been removed."""

    # ------------------------------------------------------------ creating

    def create(self, attributes: Attributes) -> Object:
        """Keep a new object: ``attributes.object``, decoded and defaulted.  Returns it as stored."""
        obj = attributes.object
        assert obj is not None
        meta = obj["metadata"]
        generated = not meta.get("name") and bool(meta.get("generateName"))
        self.admission.admit(attributes)
        self._fill_system_fields(meta)
        for _ in range(8 if generated else 1):
            if generated:
                meta["name"] = self.backend.generated_name(meta["generateName"])
            try:
                return self._create(attributes, obj)
            except AlreadyExists:
                if not generated:
                    raise
        raise AlreadyExists.on(self.kind.plural, self.kind.group, meta["name"])

    def _create(self, attributes: Attributes, obj: Object) -> Object:
        meta = obj["metadata"]
        self.begin_create(attributes, obj)
        if not attributes.trusted:
            attributes.warnings += warnings.before_create(self.kind.go_type, obj)
        preparing.prepare_for_create(self.kind.go_type, obj)
        attributes.enter("validation")
        self._refuse(obj, validation.validate_create(self.kind.go_type, obj))
        attributes.passed()
        if not attributes.trusted:
            attributes.warnings += warnings.on_create(self.kind.go_type, obj)
        preparing.finish(self.kind.go_type, obj)
        attributes.name = meta["name"]
        key = self.kind.storage_key(attributes.namespace, meta["name"])
        revision = meta.pop("resourceVersion", "")
        self.admission.validate(attributes)
        if _is_revision(revision) and not (attributes.dry_run or attributes.trusted):
            raise Unclassified("resourceVersion should not be set on objects to be created")
        if self.backend.store.get(key) is not None:
            raise AlreadyExists.on(self.kind.plural, self.kind.group, meta["name"])
        if attributes.dry_run:
            if revision:
                meta["resourceVersion"] = revision
            return obj
        return self._stored(attributes, key, obj, expected=0)

    def _fill_system_fields(self, meta: Object) -> None:
        meta["creationTimestamp"] = self.backend.now()
        meta["uid"] = self.backend.uid()
        meta.pop("deletionTimestamp", None)
        meta.pop("deletionGracePeriodSeconds", None)
        meta.pop("selfLink", None)

    # ------------------------------------------------------------ updating

    def update(self, attributes: Attributes, transform: Transform, *, create: bool = False) -> tuple[Object, bool]:
        """Change an object; ``transform`` gives the wanted state.  Returns it as stored, and whether it is new.

        With ``create``, or where the kind allows it, an object that does not exist is created.
        """
        key = self.kind.storage_key(attributes.namespace, attributes.name)
        found = self.backend.store.get(key)
        if found is None:
            if not (create or self.strategy.create_on_update):
                raise self._not_found(attributes.name)
            attributes.operation = "CREATE"
            attributes.object = transform(None)
            return self.create(attributes), True
        old: Object = found.value
        new = transform(old)
        attributes.old, attributes.object = old, new
        self._check_revision(new, old, attributes.name)
        self.admission.admit(attributes)
        self.begin_update(attributes, new, old)
        self._keep_system_fields(new["metadata"], old["metadata"])
        preparing.prepare_for_update(self.kind.go_type, new, old, attributes.subresource)
        attributes.enter("validation")
        self._refuse(new, self.validate_update(attributes, new, old))
        attributes.passed()
        if not attributes.trusted:
            attributes.warnings += warnings.on_update(self.kind.go_type, new, old, attributes.subresource)
        preparing.finish(self.kind.go_type, new)
        self.admission.validate(attributes)
        return self._replace(attributes, found, new), False

    def _replace(self, attributes: Attributes, found: KeyValue, new: Object) -> Object:
        """Put a valid new state in the place of the old one, which may be the end of the object."""
        old: Object = found.value
        if self.is_finished(new, old):
            if not attributes.dry_run:
                self._remove(attributes, found)
            return new
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if new == old:
            return old
        if attributes.dry_run:
            return new
        return self._stored(attributes, found.key, new, expected=found.mod_revision)

    def _check_revision(self, new: Object, old: Object, name: str) -> None:
        stands = old["metadata"]["resourceVersion"]
        try:
            given = integers.parse_unsigned(new["metadata"].get("resourceVersion") or "0")
        except ValueError as error:
            raise Unclassified(str(error)) from None
        if not given and not self.strategy.unconditional_update:
            wrong = field.invalid(Path("metadata").child("resourceVersion"), 0, "must be specified for an update")
            raise Invalid.on(self.kind.plural, self.kind.group, name, [wrong])
        if given and given != int(stands):
            raise Conflict.on(self.kind.plural, self.kind.group, name, MODIFIED)
        new["metadata"]["resourceVersion"] = stands

    def _keep_system_fields(self, new: Object, old: Object) -> None:
        """Fields of the metadata that no client changes (BeforeUpdate of a real server)."""
        for key in ("generation", "creationTimestamp"):
            if key in old:
                new[key] = old[key]
            else:
                new.pop(key, None)
        for key in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds"):
            if key in old and (key == "deletionTimestamp" or key not in new):
                new[key] = old[key]

    # ------------------------------------------------------------ deleting

    def delete(self, attributes: Attributes, options: DeleteOptions) -> tuple[Object, bool]:
        """Delete an object, or begin to.  Returns its last state and whether it is gone."""
        key = self.kind.storage_key(attributes.namespace, attributes.name)
        found = self.backend.store.get(key)
        if found is None:
            raise self._not_found(attributes.name)
        old: Object = found.value
        self.check_preconditions(old["metadata"], options, attributes.name)
        attributes.old = old
        self.admission.admit(attributes)
        self.admission.validate(attributes)
        new = self.begin_deletion(old, options)
        if new is None:
            if attributes.dry_run:
                return old, True
            return self._remove(attributes, found), True
        if new == old or attributes.dry_run:
            return new, False
        return self._stored(attributes, key, new, expected=found.mod_revision), False

    def begin_deletion(self, old: Object, options: DeleteOptions) -> Object | None:
        """The object as it stands after the request, or None when nothing keeps it any longer."""
        meta = dict(old["metadata"])
        grace = self.grace_period(old, options)
        deleting = meta.get("deletionTimestamp")
        if deleting and grace:
            begun = timestamps.parse(deleting) - timestamps.span(meta.get("deletionGracePeriodSeconds", 0))
            if grace >= meta.get("deletionGracePeriodSeconds", 0):
                return old
            meta["deletionTimestamp"] = timestamps.time(max(begun + timestamps.span(grace), self.backend.clock.now))
            meta["deletionGracePeriodSeconds"] = grace
            return {**old, "metadata": meta}
        finalizers = self.deletion_finalizers(meta.get("finalizers", []), options)
        if finalizers:
            meta["finalizers"] = finalizers
        else:
            meta.pop("finalizers", None)
        if not grace and not finalizers:
            return None
        if not deleting:
            meta["deletionTimestamp"] = timestamps.time(self.backend.clock.now + timestamps.span(grace))
            if meta.get("generation"):
                meta["generation"] += 1
        meta["deletionGracePeriodSeconds"] = grace
        return {**old, "metadata": meta}

    def deletion_finalizers(self, finalizers: Names, options: DeleteOptions) -> Names:
        """The object's finalizers with those of the garbage collector, as the propagation policy asks."""
        ours = {ORPHAN_FINALIZER: "orphan", FOREGROUND_FINALIZER: "foreground"}
        policy = options.propagation
        if not policy:
            policy = next((ours[one] for one in finalizers if one in ours), self.strategy.dependents)
        kept = [one for one in finalizers if one not in ours]
        return kept + [finalizer for finalizer, name in ours.items() if name == policy]

    def check_preconditions(self, meta: Object, options: DeleteOptions, name: str) -> None:
        """Raise ``Conflict`` where an object is not the one, or not as, it must be to be deleted."""
        for key, wanted, label, may_be in (
            ("uid", options.uid, "UID", "deleted and then recreated"),
            ("resourceVersion", options.revision, "ResourceVersion", "modified"),
        ):
            if wanted and wanted != meta[key]:
                why = (
                    f"the {label} in the precondition ({wanted}) does not match the {label} in record ({meta[key]}). "
                    f"The object might have been {may_be}"
                )
                raise Conflict.on(self.kind.kind, self.kind.group, name, why)

    def _remove(self, attributes: Attributes, found: KeyValue) -> Object:
        attributes.enter("etcd")
        last = self.backend.store.delete(found.key, expected=found.mod_revision)
        attributes.passed("deleted %s at revision %d", found.key, last.mod_revision)
        self.finish_delete(attributes, last.value)
        return last.value

    # ------------------------------------------------------------ shared

    def _stored(self, attributes: Attributes, key: str, obj: Object, *, expected: int) -> Object:
        attributes.enter("etcd")
        try:
            kept = self.backend.store.put(key, obj, expected=expected)
        except WriteConflict as conflict:
            raise Conflict.on(self.kind.plural, self.kind.group, attributes.name, MODIFIED) from conflict
        attributes.passed("stored %s at revision %d", key, kept.mod_revision)
        return kept.value

    def _refuse(self, obj: Object, errors: Errors) -> None:
        if errors:
            raise Invalid.on(self.kind.kind, self.kind.group, obj["metadata"].get("name", ""), errors)


def _is_revision(text: str) -> bool:
    """Whether a text is the number of a revision, of which the first is 1."""
    try:
        return integers.parse_unsigned(text) > 0
    except ValueError:
        return False
