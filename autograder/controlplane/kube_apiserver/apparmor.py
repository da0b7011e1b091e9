"""AppArmor profiles of old clients, who annotate a pod with them: a new pod gets the fields that say the same.

Source: ``applyAppArmorVersionSkew`` of pkg/registry/core/pod/strategy.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery.pod_spec import all_containers

Obj = dict[str, Any]

#: What annotations begin with; the name of a container follows.
ANNOTATION: Final = "container.apparmor.security.beta.kubernetes.io/"
#: Bytes of the name of a profile on the node.
PROFILE_LENGTH: Final = 4095
#: What annotations say -> the type of the profile.
_TYPES: Final = {"runtime/default": "RuntimeDefault", "unconfined": "Unconfined"}


def move_annotations_to_fields(pod: Obj) -> None:
    """Give each container the profile of its annotation, unless it has one or the pod has the same."""
    of_pod = pod["spec"].get("securityContext", {}).get("appArmorProfile")
    for container, _, profile in annotated_containers(pod):
        if profile and profile != of_pod:
            container.setdefault("securityContext", {})["appArmorProfile"] = profile


def annotated_containers(pod: Mapping[str, Any]) -> Iterator[tuple[Obj, str, Obj | None]]:
    """Containers without a profile that have an annotation, its key, and its profile: None for a bad one."""
    annotations, spec = pod["metadata"].get("annotations", {}), pod["spec"]
    if spec.get("os", {}).get("name") == "windows":
        return
    for container in all_containers(spec):
        key = ANNOTATION + container.get("name", "")
        if key in annotations and "appArmorProfile" not in container.get("securityContext", {}):
            yield container, key, profile_of(annotations[key])


def profile_of(annotated: str) -> Obj | None:
    """The profile that an annotation names; None for one that no field could."""
    if annotated in _TYPES:
        return {"type": _TYPES[annotated]}
    name = annotated.removeprefix("localhost/")
    if name == annotated or not name or name != name.strip() or len(name.encode()) > PROFILE_LENGTH:
        return None
    return {"type": "Localhost", "localhostProfile": name}
