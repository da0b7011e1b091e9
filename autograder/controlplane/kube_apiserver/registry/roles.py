"""Roles and bindings: nobody grants what he does not have, unless he may ``escalate`` a role or ``bind`` it.

Sources: pkg/registry/rbac/escalation_check.go and the policy-based storages beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.authorization import Action, Authorizer
from autograder.controlplane.kube_apiserver.authorization.authorizer import MASTERS
from autograder.controlplane.kube_apiserver.authorization.rules import Rule, described, quoted_list, uncovered
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.registry.generic import Registry, Transform


class _Guarded(Registry):
    """Objects that grant something."""

    def __init__(
        self, kind: ResourceType, backend: Backend, admission: AdmissionChain, *, authorizer: Authorizer
    ) -> None:
        super().__init__(kind, backend, admission)
        self.authorizer = authorizer

    def create(self, attributes: Attributes) -> Object:
        assert attributes.object is not None
        if not _may_anything(attributes):
            self.check(attributes, attributes.object)
        return super().create(attributes)

    def update(self, attributes: Attributes, transform: Transform, *, create: bool = False) -> tuple[Object, bool]:
        if _may_anything(attributes):
            return super().update(attributes, transform, create=create)

        def checked(old: Object | None) -> Object:
            new = transform(old)
            if old is not None and not _only_for_collection(new, old):
                self.check(attributes, new)
            return new

        return super().update(attributes, checked, create=create)

    def check(self, attributes: Attributes, obj: Object) -> None:
        """Raise ``Forbidden`` if the object grants what its author has not."""
        raise NotImplementedError

    def refuse_more(self, attributes: Attributes, obj: Object, rules: Sequence[Rule]) -> None:
        """Raise ``Forbidden`` if the author does not have all of the rules himself."""
        user = attributes.user
        grants = self.authorizer.rbac.grants(user, attributes.namespace)
        missing = uncovered((rule for rule, _ in grants.granted), rules)
        if not missing:
            return
        why = (
            f"user {quoted(user.name)} (groups={quoted_list(user.groups)}) is attempting to grant RBAC permissions not "
            "currently held:\n" + "\n".join(described(missing))
        )
        if grants.errors:
            why += f"; resolution errors: [{', '.join(grants.errors)}]"
        raise Forbidden.on(self.kind.plural, self.kind.group, obj["metadata"].get("name", ""), why)


class RoleRegistry(_Guarded):
    """Roles and ClusterRoles."""

    def check(self, attributes: Attributes, obj: Object) -> None:
        named = "" if attributes.operation == "CREATE" else attributes.name  # a create's URL names no object
        escalate = Action(
            attributes.user, "escalate", self.kind.group, self.kind.plural, namespace=attributes.namespace, name=named
        )  # fmt: skip
        if not self.authorizer.decide(escalate).allowed:
            self.refuse_more(attributes, obj, obj.get("rules") or [])


class BindingRegistry(_Guarded):
    """RoleBindings and ClusterRoleBindings."""

    def check(self, attributes: Attributes, obj: Object) -> None:
        role = obj["roleRef"]
        if role.get("kind") not in ("Role", "ClusterRole"):
            return  # validation says so
        bind = Action(
            attributes.user, "bind", role["apiGroup"], role["kind"].lower() + "s",
            namespace=attributes.namespace, name=role.get("name", ""),
        )  # fmt: skip
        if not self.authorizer.decide(bind).allowed:
            self.refuse_more(attributes, obj, self.authorizer.rbac.rules_of(role, attributes.namespace))


def _may_anything(attributes: Attributes) -> bool:
    return attributes.trusted or MASTERS in attributes.user.groups


def _only_for_collection(new: Object, old: Object) -> bool:
    """Whether an update changes nothing but what the garbage collector needs to remove the object."""

    def rest(obj: Object) -> Object:
        kept = {
            key: value
            for key, value in obj["metadata"].items()
            if key not in ("finalizers", "ownerReferences", "resourceVersion", "managedFields")
        }
        return {**obj, "metadata": kept}

    return rest(new) == rest(old)
