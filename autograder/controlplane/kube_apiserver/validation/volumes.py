"""Rules for the volumes of a pod, one function for each source of volumes.

Source: ValidateVolumes in pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field, quantity
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names, projections, storage
from autograder.controlplane.kube_apiserver.validation.files import (
    file_mode,
    keys_to_paths,
    no_backsteps,
    relative_path,
)
from autograder.controlplane.kube_apiserver.validation.meta import annotation_map, invalid, labels
from autograder.controlplane.kube_apiserver.validation.rules import one_of, required_one_of

Object = Mapping[str, Any]
SourceRule = Callable[[Object, Path], Iterator[FieldError]]

PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
HOST_PATH_TYPES: Final = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
ONE_TYPE: Final = "may not specify more than 1 volume type"
_ISCSI_NAMES: Final = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$"),
    "eui": re.compile(r"^eui.[A-Za-z0-9]{16}$"),
    "naa": re.compile(r"^naa.[A-Za-z0-9]{32}$"),
}
_ISCSI_PORTAL_LENGTH: Final = 64


def validate_volumes(
    volumes: list[Object], pod_name: str, path: Path, *, is_pod: bool
) -> tuple[dict[str, Object], list[FieldError]]:
    """The volumes that are in order, by name, and the errors of the others. ``pod_name`` is empty for a template."""
    valid: dict[str, Object] = {}
    errors: list[FieldError] = []
    generated = {f"{pod_name}-{volume['name']}" for volume in volumes if pod_name and "ephemeral" in volume}
    for position, volume in enumerate(volumes):
        at, name = path.index(position), volume["name"]
        found = list(_source(volume, pod_name, at, is_pod))
        found += invalid(at.child("name"), name, names.dns_label(name)) if name else [field.required(at.child("name"))]
        if name in valid:
            found.append(field.duplicate(at.child("name"), name))
        if not found:
            valid[name] = volume
        errors += found
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if claim in generated:
            why = "must not reference a PVC that gets created for an ephemeral volume"
            errors.append(field.invalid(at.child("persistentVolumeClaim").child("claimName"), claim, why))
    return valid, errors


def _source(volume: Object, pod_name: str, path: Path, is_pod: bool) -> Iterator[FieldError]:
    name = volume["name"]
    given = [source for source in SOURCES if source in volume]
    for position, source in enumerate(given):
        if position:
            yield field.forbidden(path.child(_FORBIDDEN_AS.get(source, source)), ONE_TYPE)
        else:
            if source == "image" and is_pod and not volume["image"].get("reference"):
                yield field.required(path.child("image").child("reference"))
            yield from SOURCES[source](volume[source], path.child(_CALLED.get(source, source)))
            if source == "ephemeral" and pod_name and name:
                yield from _generated_claim(f"{pod_name}-{name}", name, path.child("name"))
        if source == "iscsi":
            yield from _iscsi_session(volume, path.child("name"))
    if not given:
        yield field.required(path, "must specify a volume type")


def _generated_claim(claim: str, name: str, path: Path) -> Iterator[FieldError]:
    """The claim that a pod makes for itself gets the names of both."""
    for sentence in names.dns_subdomain(claim):
        yield field.invalid(path, name, f'PVC name "{claim}": {sentence}')


def _iscsi_session(volume: Object, path: Path) -> Iterator[FieldError]:
    """A session of its own is named by volume and portal, in a short field."""
    source = volume["iscsi"]
    if "initiatorName" in source and len(f"{volume['name']}:{source['targetPortal']}") > _ISCSI_PORTAL_LENGTH:
        why = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
            "iscsi.initiatorName is specified."
        )
        yield field.invalid(path, volume["name"], why)


def _needs(*required: str) -> SourceRule:
    """The rule of a source that only needs some fields not to be empty."""

    def rule(source: Object, path: Path) -> Iterator[FieldError]:
        for name in required:
            if not source.get(name):
                yield field.required(path.child(name))

    return rule


def _empty_dir(source: Object, path: Path) -> Iterator[FieldError]:
    limit = source.get("sizeLimit")
    if limit is not None and quantity.parse(limit).unscaled < 0:
        yield field.forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")


def _host_path(source: Object, path: Path) -> Iterator[FieldError]:
    if not source["path"]:
        yield field.required(path.child("path"))
        return
    yield from no_backsteps(source["path"], path.child("path"))
    yield from one_of(source.get("type", ""), path.child("type"), HOST_PATH_TYPES)


def _git_repo(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("repository")(source, path)
    yield from relative_path(source.get("directory", ""), path.child("directory"))


def _disk(name: str) -> SourceRule:
    def rule(source: Object, path: Path) -> Iterator[FieldError]:
        yield from _needs(name)(source, path)
        yield from invalid(
            path.child("partition"), source.get("partition", 0),
            [] if 0 <= source.get("partition", 0) <= 255 else [names.between(1, 255)],
        )  # fmt: skip

    return rule


def _secret(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("secretName")(source, path)
    yield from file_mode(source.get("defaultMode"), path.child("defaultMode"))
    yield from keys_to_paths(source.get("items", []), path.child("items"))


def _config_map(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("name")(source, path)
    yield from file_mode(source.get("defaultMode"), path.child("defaultMode"))
    yield from keys_to_paths(source.get("items", []), path.child("items"))


def _nfs(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("server", "path")(source, path)
    if not source["path"].startswith("/"):
        yield field.invalid(path.child("path"), source["path"], "must be an absolute path")


def _iscsi(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("targetPortal", "iqn")(source, path)
    if source["iqn"]:
        yield from _iscsi_name(source["iqn"], path.child("iqn"))
    yield from invalid(path.child("lun"), source["lun"], names.in_range(source["lun"], 0, 255))
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and "secretRef" not in source:
        yield field.required(path.child("secretRef"))
    if "initiatorName" in source:
        yield from _iscsi_name(source["initiatorName"], path.child("initiatorname"))


def _iscsi_name(name: str, path: Path) -> Iterator[FieldError]:
    pattern = _ISCSI_NAMES.get(name[:3])
    if pattern is None:
        yield field.invalid(path, name, "must be valid format starting with iqn, eui, or naa")
    elif not pattern.search(name):
        yield field.invalid(path, name, "must be valid format")


def _flocker(source: Object, path: Path) -> Iterator[FieldError]:
    name, uuid = source.get("datasetName", ""), source.get("datasetUUID", "")
    if not name and not uuid:
        yield field.required(path, "one of datasetName and datasetUUID is required")
    if name and uuid:
        yield field.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name:
        yield field.invalid(path.child("datasetName"), name, "must not contain '/'")


def _cinder(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("volumeID")(source, path)
    yield from _secret_reference(source, path)


def _secret_reference(source: Object, path: Path) -> Iterator[FieldError]:
    if "secretRef" in source and not source["secretRef"].get("name"):
        yield field.required(path.child("secretRef").child("name"))


def _quobyte(source: Object, path: Path) -> Iterator[FieldError]:
    why = "must be a host:port pair or multiple pairs separated by commas"
    if not source["registry"]:
        yield field.required(path.child("registry"), why)
    elif len(source.get("tenant", "")) >= 65:
        yield field.required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters")
    else:
        for pair in source["registry"].split(","):
            if not re.fullmatch(r"([^:\[\]]*|\[[^\[\]]*\]):[^:\[\]]*", pair):
                yield field.invalid(path.child("registry"), source["registry"], why)
    yield from _needs("volume")(source, path)


def _fibre_channel(source: Object, path: Path) -> Iterator[FieldError]:
    targets, wwids = source.get("targetWWNs"), source.get("wwids")
    if not targets and not wwids:
        yield field.required(path.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both")
    if targets and wwids:
        why = "targetWWNs and wwids can not be specified simultaneously"
        yield field.invalid(path.child("targetWWNs"), targets, why)
    if targets and "lun" not in source:
        yield field.required(path.child("lun"), "lun is required if targetWWNs is specified")
    elif targets:
        yield from invalid(path.child("lun"), source["lun"], names.in_range(source["lun"], 0, 255))


def _flex_volume(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("driver")(source, path)
    for key in source.get("options", {}):
        namespace = "." + key.partition("/")[0].lower()
        if namespace.endswith((".kubernetes.io", ".k8s.io")):
            why = "kubernetes.io and k8s.io namespaces are reserved"
            yield field.invalid(path.child("options").key(key), key, why)


def _azure_disk(source: Object, path: Path) -> Iterator[FieldError]:
    yield from _needs("diskName", "diskURI")(source, path)
    if "cachingMode" in source:
        yield from one_of(source["cachingMode"], path.child("cachingMode"), ("None", "ReadOnly", "ReadWrite"))
    kind, uri = source.get("kind"), source["diskURI"]
    if kind is None:
        return
    yield from one_of(kind, path.child("kind"), ("Dedicated", "Managed", "Shared"))
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        form = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
        yield field.not_supported(path.child("diskURI"), uri, (form,))
    if kind != "Managed" and not uri.startswith("https://"):
        form = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        yield field.not_supported(path.child("diskURI"), uri, (form,))


def _storage_os(source: Object, path: Path) -> Iterator[FieldError]:
    name, namespace = source.get("volumeName", ""), source.get("volumeNamespace", "")
    yield from _needs("volumeName")(source, path)
    if name:
        yield from invalid(path.child("volumeName"), name, names.dns_label(name))
    if namespace:
        yield from invalid(path.child("volumeNamespace"), namespace, names.dns_label(namespace))
    yield from _secret_reference(source, path)


def _csi(source: Object, path: Path) -> Iterator[FieldError]:
    yield from csi_driver_name(source["driver"], path.child("driver"))
    if (secret := source.get("nodePublishSecretRef")) is not None:
        if not secret.get("name"):
            yield field.required(path.child("nodePublishSecretRef").child("name"))
        else:
            yield from invalid(path.child("name"), secret["name"], names.dns_subdomain(secret["name"]))


def csi_driver_name(name: str, path: Path) -> Iterator[FieldError]:
    """The name of a CSI driver: a subdomain in any case, of at most 63 bytes."""
    if not name:
        yield field.required(path)
        return
    if len(name.encode()) > names.LABEL_LENGTH:
        yield field.too_long(path, names.LABEL_LENGTH)
    yield from invalid(path, name, names.dns_subdomain(name.lower()))


def _projected(source: Object, path: Path) -> Iterator[FieldError]:
    yield from file_mode(source.get("defaultMode"), path.child("defaultMode"))
    yield from projections.validate_projections(source.get("sources") or [], path)


def _ephemeral(source: Object, path: Path) -> Iterator[FieldError]:
    template = source.get("volumeClaimTemplate")
    at = path.child("volumeClaimTemplate")
    if template is None:
        yield field.required(at)
        return
    metadata = template["metadata"]
    yield from annotation_map(metadata.get("annotations"), at.child("metadata").child("annotations"))
    yield from labels(metadata.get("labels"), at.child("metadata").child("labels"))
    for name in metadata:
        if name not in ("annotations", "labels"):
            yield field.forbidden(at.child("metadata").child(name), "cannot be set")
    yield from storage.validate_claim_spec(template["spec"], at.child("spec"))


def _image(source: Object, path: Path) -> Iterator[FieldError]:
    yield from required_one_of(source.get("pullPolicy", ""), path.child("pullPolicy"), PULL_POLICIES)


#: Every source of volumes, in the order in which Kubernetes looks for them.
SOURCES: Final[dict[str, SourceRule]] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "gitRepo": _git_repo,
    "gcePersistentDisk": _disk("pdName"),
    "awsElasticBlockStore": _disk("volumeID"),
    "secret": _secret,
    "nfs": _nfs,
    "iscsi": _iscsi,
    "glusterfs": _needs("endpoints", "path"),
    "flocker": _flocker,
    "persistentVolumeClaim": _needs("claimName"),
    "rbd": _needs("monitors", "image"),
    "cinder": _cinder,
    "cephfs": _needs("monitors"),
    "quobyte": _quobyte,
    "downwardAPI": projections.validate_downward_api,
    "fc": _fibre_channel,
    "flexVolume": _flex_volume,
    "configMap": _config_map,
    "azureFile": _needs("secretName", "shareName"),
    "vsphereVolume": _needs("volumePath"),
    "photonPersistentDisk": _needs("pdID"),
    "portworxVolume": _needs("volumeID"),
    "azureDisk": _azure_disk,
    "storageos": _storage_os,
    "projected": _projected,
    "scaleIO": _needs("gateway", "system", "volumeName"),
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}
#: Sources that errors call by another name than the field's.
_CALLED: Final = {"gcePersistentDisk": "persistentDisk"}
_FORBIDDEN_AS: Final = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
