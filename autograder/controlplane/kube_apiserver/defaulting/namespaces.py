"""What Namespaces get when a field is left out (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

NAME_LABEL = "kubernetes.io/metadata.name"


def default_namespace(namespace: dict[str, Any]) -> None:
    """A label with its name, so that selectors can select one namespace; the phase is Active."""
    metadata = namespace.setdefault("metadata", {})
    if metadata.get("name"):
        metadata.setdefault("labels", {})[NAME_LABEL] = metadata["name"]
    status = namespace.setdefault("status", {})
    status["phase"] = status.get("phase") or "Active"
