"""What role bindings get when a field is left out (pkg/apis/rbac/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

RBAC_GROUP = "rbac.authorization.k8s.io"


def default_role_binding(binding: dict[str, Any]) -> None:
    """The role, and subjects that are users or groups, belong to the group of RBAC."""
    role = binding.setdefault("roleRef", {})
    role["apiGroup"] = role.get("apiGroup") or RBAC_GROUP
    for subject in binding.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = RBAC_GROUP
