"""What claims, volumes and storage classes get when a field is left out (pkg/apis/{core,storage}/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.kube_apiserver.defaulting.pods import default_claim_spec, round_amounts


def default_persistent_volume_claim(claim: dict[str, Any]) -> None:
    """A file system; the claim is pending."""
    default_claim_spec(claim.setdefault("spec", {}))
    status = claim.setdefault("status", {})
    status["phase"] = status.get("phase") or "Pending"


def default_persistent_volume(volume: dict[str, Any]) -> None:
    """A file system that is kept when it is released; the volume is pending."""
    spec = volume.setdefault("spec", {})
    spec["persistentVolumeReclaimPolicy"] = spec.get("persistentVolumeReclaimPolicy") or "Retain"
    spec.setdefault("volumeMode", "Filesystem")
    round_amounts(spec, "capacity")
    if "hostPath" in spec:
        spec["hostPath"].setdefault("type", "")
    status = volume.setdefault("status", {})
    status["phase"] = status.get("phase") or "Pending"


def default_storage_class(storage_class: dict[str, Any]) -> None:
    """Volumes are bound at once, and deleted with their claim."""
    storage_class.setdefault("reclaimPolicy", "Delete")
    storage_class.setdefault("volumeBindingMode", "Immediate")
