"""The authorizers of a cluster as one."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.wire import User
from autograder.controlplane.kube_apiserver.authorization.action import Action, Decision, refusal
from autograder.controlplane.kube_apiserver.authorization.nodes import NodeAuthorizer, is_node
from autograder.controlplane.kube_apiserver.authorization.rbac import Grants, Rbac
from autograder.controlplane.kube_apiserver.backend import Backend

#: The group that may do everything, whatever roles there are.
MASTERS: Final = "system:masters"


class Authorizer:
    """Decides over the state of one cluster."""

    def __init__(self, backend: Backend) -> None:
        self.rbac = Rbac(backend)
        self._nodes = NodeAuthorizer(backend)

    def decide(self, action: Action) -> Decision:
        """Whether somebody may do something; the reason of a refusal is what every authorizer said."""
        if MASTERS in action.user.groups:
            return Decision(True)
        by_node = self._nodes.decide(action)
        if by_node.allowed:
            return by_node
        by_rbac = self.rbac.decide(action)
        if by_rbac.allowed:
            return by_rbac
        return Decision(False, "\n".join(reason for reason in (by_node.reason, by_rbac.reason) if reason))

    def check(self, action: Action) -> str:
        """The reason why an action is allowed. Raises ``Forbidden`` if it is not."""
        allowed, reason = self.decide(action)
        if not allowed:
            raise refusal(action, reason)
        return reason

    def rules_for(self, user: User, namespace: str) -> tuple[Grants, str]:
        """The rules that RBAC grants to a user in a namespace, and why that may not be all."""
        why = "node authorizer does not support user rule resolution" if is_node(user) else ""
        return self.rbac.grants(user, namespace), why
