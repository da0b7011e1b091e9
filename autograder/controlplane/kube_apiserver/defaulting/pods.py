"""Defaults of pods and of what contains a pod template.

Some defaults are those of a pod only, so that a template stays as its author wrote it: requests that follow limits,
host ports under host networking, ``enableServiceLinks``. Source: pkg/apis/core/v1/{defaults,conversion}.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery.images import parse_image
from autograder.controlplane.apimachinery.pod_spec import all_containers, initial_containers
from autograder.controlplane.apimachinery.quantity import MILLI, parse
from autograder.controlplane.apimachinery.resources import HUGE_PAGES, aggregate_containers, is_pod_level

Object = dict[str, Any]

FILE_MODE: Final = 0o644
TOKEN_LIFETIME: Final = 3600
GRACE_PERIOD: Final = 30

SPEC: Final = {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler"}
CONTAINER: Final = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
PROBE: Final = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
HTTP_GET: Final = {"path": "/", "scheme": "HTTP"}
#: Volume source -> what is set in it where nothing (or an empty value) stands.
VOLUME_SOURCES: Final[dict[str, dict[str, Any]]] = {
    "secret": {"defaultMode": FILE_MODE},
    "configMap": {"defaultMode": FILE_MODE},
    "downwardAPI": {"defaultMode": FILE_MODE},
    "projected": {"defaultMode": FILE_MODE},
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
LEGACY_ANNOTATIONS: Final = frozenset(
    f"pod.{stage}.kubernetes.io/{name}"
    for stage in ("alpha", "beta")
    for name in ("init-containers", "init-container-statuses")
)


def default_pod(pod: Object) -> None:
    """The defaults of a pod."""
    spec = pod["spec"]
    for container in initial_containers(spec):
        if limits := container["resources"].get("limits"):
            container["resources"]["requests"] = {**limits, **container["resources"].get("requests", {})}
    if "resources" in spec:
        _default_pod_resources(spec)
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for container in initial_containers(spec):
            for port in container.get("ports", ()):
                if port["containerPort"]:
                    port.setdefault("hostPort", port["containerPort"])
    default_pod_spec(spec)
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    _drop_legacy_annotations(pod["metadata"])
    _default_status(pod["status"])


def default_pod_template(owner: Object) -> None:
    """The defaults of the template in a PodTemplate."""
    default_template(owner["template"])


def default_template(template: Object) -> None:
    """The defaults of a pod template, wherever it stands."""
    default_pod_spec(template["spec"])
    _drop_legacy_annotations(template["metadata"])


def default_pod_spec(spec: Object) -> None:
    """The defaults of a pod's spec that hold in templates, too."""
    set_missing(spec, SPEC)
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", GRACE_PERIOD)
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for volume in spec.get("volumes", ()):
        _default_volume(volume)
    for container in all_containers(spec):
        _default_container(container)
    if "overhead" in spec:
        spec["overhead"] = rounded(spec["overhead"])
    if "resources" in spec:
        round_resources(spec["resources"])


def set_missing(obj: Object, values: dict[str, Any]) -> None:
    """Give fields that are not there (in normal form: or are empty) a value."""
    for name, value in values.items():
        obj.setdefault(name, value)


def round_amounts(holder: Object, *names: str) -> None:
    """Resources in some fields of an object, without digits finer than a thousandth."""
    for name in names:
        if holder.get(name):
            holder[name] = rounded(holder[name])


def rounded(quantities: dict[str, str]) -> dict[str, str]:
    """Resources without digits finer than a thousandth."""
    return {name: text if text.isdecimal() else str(parse(text).rounded_up(MILLI)) for name, text in quantities.items()}


def round_resources(resources: Object) -> None:
    """Round the limits and requests of a resource requirement."""
    for name in ("limits", "requests"):
        if name in resources:
            resources[name] = rounded(resources[name])


def pull_policy(image: str) -> str:
    """``Always`` for the tag ``latest``, which may change; ``IfNotPresent`` for any other, and for malformed names."""
    parsed = parse_image(image)
    return "Always" if parsed and parsed.tag == "latest" else "IfNotPresent"


def _default_container(container: Object) -> None:
    if "imagePullPolicy" not in container:
        container["imagePullPolicy"] = pull_policy(container.get("image", ""))
    set_missing(container, CONTAINER)
    for port in container.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", ()):
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            source["fieldRef"].setdefault("apiVersion", "v1")
        if "fileKeyRef" in source:
            source["fileKeyRef"].setdefault("optional", False)
    round_resources(container["resources"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            set_missing(container[name], PROBE)
            _default_handler(container[name])
    for handler in container.get("lifecycle", {}).values():
        if isinstance(handler, dict) and "httpGet" in handler:
            set_missing(handler["httpGet"], HTTP_GET)


def _default_handler(probe: Object) -> None:
    if "httpGet" in probe:
        set_missing(probe["httpGet"], HTTP_GET)
    if "grpc" in probe and probe["grpc"].get("service") is None:
        probe["grpc"]["service"] = ""


def _default_volume(volume: Object) -> None:
    if volume.keys() <= {"name"}:
        volume["emptyDir"] = {}
    for source in volume.keys() & VOLUME_SOURCES.keys():
        set_missing(volume[source], VOLUME_SOURCES[source])
    for item in _downward_items(volume):
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")
    for source in volume.get("projected", {}).get("sources") or ():
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", TOKEN_LIFETIME)
    if "image" in volume:
        volume["image"].setdefault("pullPolicy", pull_policy(volume["image"].get("reference", "")))
    if claim := volume.get("ephemeral", {}).get("volumeClaimTemplate"):
        default_claim_spec(claim["spec"])


def default_claim_spec(spec: Object) -> None:
    """The defaults of a PersistentVolumeClaim's spec, in templates, too."""
    spec.setdefault("volumeMode", "Filesystem")
    round_resources(spec["resources"])


def _downward_items(volume: Object) -> Iterator[Object]:
    yield from volume.get("downwardAPI", {}).get("items", ())
    for source in volume.get("projected", {}).get("sources") or ():
        yield from source.get("downwardAPI", {}).get("items", ())


def _drop_legacy_annotations(metadata: Object) -> None:
    annotations = metadata.get("annotations")
    if annotations and not LEGACY_ANNOTATIONS.isdisjoint(annotations):
        kept = {key: value for key, value in annotations.items() if key not in LEGACY_ANNOTATIONS}
        metadata["annotations"] = kept
        if not kept:
            del metadata["annotations"]


def _default_status(status: Object) -> None:
    """An address given the old way is given the new way as well, and wins."""
    address, addresses = status.get("podIP"), status.get("podIPs")
    if address and (not addresses or addresses[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses:
        status["podIP"] = addresses[0].get("ip", "")
    for name in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
        for container in status.get(name, ()):
            if "allocatedResources" in container:
                container["allocatedResources"] = rounded(container["allocatedResources"])
            round_resources(container.get("resources", {}))


# ---------------------------------------------------------------- resources of the pod as a whole


def _default_pod_resources(spec: Object) -> None:
    """Limits of huge pages and requests follow from those of the containers, if the pod states any of its own."""
    resources = spec["resources"]
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    if limits or requests:
        for name, total in aggregate_containers(spec, "limits").items():
            if name.startswith(HUGE_PAGES) and name not in requests:
                limits = {name: str(total), **limits}
    if limits:
        resources["limits"] = limits
        follow = {
            name: str(total)
            for name, total in aggregate_containers(spec, "requests").items()
            if name in ("cpu", "memory") and name not in requests
        }
        given = {name: value for name, value in limits.items() if is_pod_level(name)}
        if merged := {**given, **follow, **requests}:
            resources["requests"] = merged
