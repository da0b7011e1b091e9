"""AppArmor profiles of old clients, who annotate a pod with them: a new pod gets the fields that say the same.

Source: ``applyAppArmorVersionSkew`` of pkg/registry/core/pod/strategy.go.
"""

from __future__ import annotations

from typing import Any, Final

Obj = dict[str, Any]

#: What annotations begin with; the name of a container follows.
ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"
#: Bytes of the name of a profile on the node.
PROFILE_LENGTH: Final = 4095
#: What annotations say -> the type of the profile.
_TYPES: Final = {"runtime/default": "RuntimeDefault", "unconfined": "Unconfined"}


def move_annotations_to_fields(pod: Obj) -> None:
    """Give each container the profile of its annotation, unless it has one or the pod has the same."""
    annotations, spec = pod["metadata"].get("annotations", {}), pod["spec"]
    if spec.get("os", {}).get("name") == "windows":
        return
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or ():
            annotated = annotations.get(ANNOTATION + container.get("name", ""))
            if annotated is None or "appArmorProfile" in container.get("securityContext", {}):
                continue
            profile = _profile(annotated)
            if profile and profile != spec.get("securityContext", {}).get("appArmorProfile"):
                container.setdefault("securityContext", {})["appArmorProfile"] = profile


def _profile(annotated: str) -> Obj | None:
    """The profile that an annotation names; None for one that no field could."""
    if annotated in _TYPES:
        return {"type": _TYPES[annotated]}
    name = annotated.removeprefix("localhost/")
    if name == annotated or not name or name != name.strip() or len(name.encode()) > PROFILE_LENGTH:
        return None
    return {"type": "Localhost", "localhostProfile": name}
