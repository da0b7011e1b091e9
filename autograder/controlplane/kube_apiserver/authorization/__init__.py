"""Who may do what: the authorizers of a kubeadm cluster, asked one after the other until one of them allows.

Nobody has to ask for members of ``system:masters``; then the node authorizer speaks for kubelets, and RBAC for all.
"""

from __future__ import annotations

from autograder.controlplane.kube_apiserver.authorization.action import Action, Decision, action_of, refusal
from autograder.controlplane.kube_apiserver.authorization.authorizer import Authorizer

__all__ = ["Action", "Authorizer", "Decision", "action_of", "refusal"]
