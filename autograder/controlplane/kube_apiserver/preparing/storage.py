"""Persistent volumes, claims and what claims are filled from."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]


def create_persistent_volume(volume: Obj) -> None:
    """Note that its phase began when it was created."""
    volume["status"]["lastPhaseTransitionTime"] = volume["metadata"].get("creationTimestamp")


def create_claim(claim: Obj) -> None:
    """Complete what the claim is to be filled from."""
    _complete_data_source(claim["spec"], keep_any=False)


def update_claim(new: Obj, old: Obj) -> None:
    """Complete what the claim is to be filled from; what is off by default may stay on a claim that has it."""
    in_use = any(name in old["spec"] for name in ("dataSource", "dataSourceRef"))
    _complete_data_source(new["spec"], keep_any=in_use)


def _complete_data_source(spec: Obj, *, keep_any: bool) -> None:
    """Old clients fill ``dataSource`` (a claim or snapshot), new ones ``dataSourceRef``; each implies the other."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference and not keep_any and not _is_claim_or_snapshot(source):
        del spec["dataSource"]
        return
    if source and not reference:
        spec["dataSourceRef"] = dict(source)
    elif reference and not source and not reference.get("namespace"):
        spec["dataSource"] = {name: value for name, value in reference.items() if name != "namespace"}


def _is_claim_or_snapshot(source: Obj) -> bool:
    kind, group = source.get("kind"), source.get("apiGroup", "")
    return (kind, group) in (("PersistentVolumeClaim", ""), ("VolumeSnapshot", "snapshot.storage.k8s.io"))
