"""RBAC: which rules the Roles and ClusterRoles give to a user, and what follows from them.

Source: pkg/registry/rbac/validation/rule.go.  What applies to a user in a namespace is kept until a role or binding
changes, of which watches of the four folders tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.apimachinery.wire import Object, User
from autograder.controlplane.etcd.store import Watch
from autograder.controlplane.kube_apiserver.authorization.action import Action, Decision
from autograder.controlplane.kube_apiserver.authorization.rules import Rule, allows
from autograder.controlplane.kube_apiserver.backend import Backend

GROUP: Final = "rbac.authorization.k8s.io"
ROLES: Final = scheme.resource("roles", GROUP)
ROLE_BINDINGS: Final = scheme.resource("rolebindings", GROUP)
CLUSTER_ROLES: Final = scheme.resource("clusterroles", GROUP)
CLUSTER_ROLE_BINDINGS: Final = scheme.resource("clusterrolebindings", GROUP)
_KINDS: Final = (ROLES, ROLE_BINDINGS, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS)

#: Users and namespaces of which the rules are remembered.
_REMEMBERED: Final = 512


class Granted(NamedTuple):
    """One rule that applies to a user, and what gives it to him."""

    rule: Rule
    source: str


class Grants(NamedTuple):
    """All rules that apply to a user in a namespace, and what kept others from being found."""

    granted: tuple[Granted, ...]
    errors: tuple[str, ...]


class Rbac:
    """The roles and bindings of one cluster, as they stand whenever somebody asks."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._changes: list[Watch] = []
        self._known: dict[tuple[str, tuple[str, ...], str], Grants] = {}

    def decide(self, action: Action) -> Decision:
        """Whether a rule allows the action, and which binding gives it."""
        grants = self.grants(action.user, action.namespace)
        for rule, source in grants.granted:
            if allows(rule, action):
                return Decision(True, f"RBAC: allowed by {source}")
        return Decision(False, "RBAC: " + _listed(grants.errors) if grants.errors else "")

    def grants(self, user: User, namespace: str) -> Grants:
        """What applies to a user in a namespace, or (without one) in the cluster as a whole."""
        self._forget_if_changed()
        key = (user.name, user.groups, namespace)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._resolve(user, namespace)
        return found

    def rules_of(self, role: Object, namespace: str) -> list[Rule]:
        """The rules of the role that a ``roleRef`` names; raises ``NotFound``."""
        kind = ROLES if role["kind"] == "Role" else CLUSTER_ROLES
        found = self._backend.read(kind, namespace, role["name"])
        if found is None:
            raise NotFound.on(kind.singular, GROUP, role["name"])  # so do the listers of client-go name it
        return found.get("rules") or []

    def _forget_if_changed(self) -> None:
        if not self._changes or any(changes.waiting() for changes in self._changes):
            store = self._backend.store
            self._changes = [store.watch(kind.prefix, after=store.revision) for kind in _KINDS]
            self._known.clear()

    def _resolve(self, user: User, namespace: str) -> Grants:
        granted: list[Granted] = []
        errors: list[str] = []
        bindings = [(binding, "") for binding in self._backend.read_all(CLUSTER_ROLE_BINDINGS)]
        if namespace:
            bindings += [(binding, namespace) for binding in self._backend.read_all(ROLE_BINDINGS, namespace)]
        for binding, place in bindings:
            subject = _subject(user, binding.get("subjects") or (), place)
            if subject is None:
                continue
            try:
                rules = self.rules_of(binding["roleRef"], place)
            except NotFound as missing:
                errors.append(missing.message)
                continue
            source = _source(binding, subject, place)
            granted += [Granted(rule, source) for rule in rules]
        return Grants(tuple(granted), tuple(errors))


def _subject(user: User, subjects: Iterable[Object], namespace: str) -> Object | None:
    """The first subject of a binding that a user is, or is a member of."""
    return next((subject for subject in subjects if _is(user, subject, namespace)), None)


def _is(user: User, subject: Object, namespace: str) -> bool:
    name: str = subject["name"]
    match subject["kind"]:
        case "User":
            return user.name == name
        case "Group":
            return name in user.groups
        case "ServiceAccount":
            home = subject.get("namespace") or namespace
            return bool(home) and user.name == f"system:serviceaccount:{home}:{name}"
    return False


def _source(binding: Object, subject: Object, namespace: str) -> str:
    """What gives a rule, as ``can-i`` tells it; names stand before namespaces here."""
    name = binding["metadata"]["name"]
    kind, bound = ("RoleBinding", f"{name}/{namespace}") if namespace else ("ClusterRoleBinding", name)
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    role = binding["roleRef"]
    return f"{kind} {quoted(bound)} of {role['kind']} {quoted(role['name'])} to {subject['kind']} {quoted(who)}"


def _listed(errors: Iterable[str]) -> str:
    """Several errors as one text: each once, in brackets if there are more."""
    texts = list(dict.fromkeys(errors))
    return texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
