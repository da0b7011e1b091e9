"""Volumes: where the machines keep each volume of a pod, and what the kubelet writes into those it fills itself.

A volume that cannot be set up keeps the pod waiting: ``MountError`` carries the text of the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from autograder.controlplane.apimachinery.errors import NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import (
    CONFIGMAPS,
    PERSISTENTVOLUMECLAIMS,
    SECRETS,
    SERVICEACCOUNTS,
    ResourceType,
)
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.volumes import DISK, READ_ONLY
from autograder.controlplane.kubelet.container_config import field_value, object_data, referred, resource_value

#: The CA of the cluster, which with a token is in every pod and read by hardly any.
ROOT_CA: Final = "kube-root-ca.crt"
#: How long a token holds unless the volume says otherwise, in seconds.
_TOKEN_SECONDS: Final = 3600
#: Among the fields: that tokens and the CA are wanted.
_CREDENTIALS: Final = "credentials"


class MountError(Exception):
    """A volume cannot be mounted; the message is the event's."""


def keys(pod: Object, uid: str, node: str) -> dict[str, str]:
    """Where each volume of a pod is kept: with the pod, on the node, or with the claim."""
    return {volume["name"]: key_of(pod, volume, uid, node) for volume in pod["spec"].get("volumes") or ()}


def key_of(pod: Object, volume: Object, uid: str, node: str) -> str:
    """Where one volume of a pod is kept."""
    if "hostPath" in volume:
        return f"{DISK}{node}:{volume['hostPath']['path'].strip('/')}"
    if "persistentVolumeClaim" in volume:
        return f"claim:{pod['metadata']['namespace']}/{volume['persistentVolumeClaim']['claimName']}"
    filled = "projected" in volume or "configMap" in volume or "secret" in volume or "downwardAPI" in volume
    return f"{uid}/{volume['name']}{READ_ONLY if filled else ''}"


def set_up(
    client: Client, machines: Machines, pod: Object, uid: str, node: str, fields: Mapping[str, str], *,
    credentials: bool,
) -> None:  # fmt: skip
    """Fill the volumes of a pod; raises ``MountError``.

    Without ``credentials`` the files of its token and the cluster's CA are there, and empty: they cost most of what a
    pod costs, and a pod that only serves never looks at them.
    """
    fields = {**fields, _CREDENTIALS: "wanted"} if credentials else fields
    for volume in pod["spec"].get("volumes") or ():
        key = key_of(pod, volume, uid, node)
        if "persistentVolumeClaim" in volume:
            _check_claim(client, pod, volume)
        elif key.endswith(READ_ONLY):
            machines.volumes.write(key, _contents(client, pod, volume, fields))


def runs_commands(pod: Object) -> bool:
    """Whether a container of a pod runs something else than what its image is for, and so may read any file."""
    spec = pod["spec"]
    return bool(spec.get("initContainers")) or any(
        "command" in one or "args" in one or "lifecycle" in one or "exec" in str(one.get("livenessProbe", ""))
        for one in spec["containers"]
    )


def refers_to(pod: Object, kind: ResourceType, name: str) -> bool:
    """Whether a volume of a pod shows a ConfigMap or Secret."""
    field, key = ("configMap", "name") if kind is CONFIGMAPS else ("secret", "secretName")
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            if field in source and name in (source[field].get(key), source[field].get("name")):
                return True
    return False


def _check_claim(client: Client, pod: Object, volume: Object) -> None:
    namespace, name = pod["metadata"]["namespace"], volume["persistentVolumeClaim"]["claimName"]
    try:
        client.get(PERSISTENTVOLUMECLAIMS, namespace, name)
    except StatusError as error:
        raise MountError(f"error processing PVC {namespace}/{name}: {error.message}") from error


def _contents(client: Client, pod: Object, volume: Object, fields: Mapping[str, str]) -> dict[str, str]:
    sources = volume["projected"].get("sources") or [] if "projected" in volume else [volume]
    contents: dict[str, str] = {}
    for source in sources:
        contents |= _source(client, pod, volume["name"], source, fields)
    return {"/" + path: text for path, text in contents.items()}


def _source(client: Client, pod: Object, title: str, source: Object, fields: Mapping[str, str]) -> dict[str, str]:
    if "configMap" in source:
        given = source["configMap"]
        if given.get("name") == ROOT_CA and _CREDENTIALS not in fields:
            return {item["path"]: "" for item in given.get("items") or ()}
        return _picked(client, CONFIGMAPS, pod, title, given.get("name", ""), given)
    if "secret" in source:
        given = source["secret"]
        return _picked(client, SECRETS, pod, title, given.get("secretName") or given.get("name", ""), given)
    if "downwardAPI" in source:
        return {item["path"]: _downward(pod, item, fields) for item in source["downwardAPI"].get("items") or ()}
    if "serviceAccountToken" in source:
        given = source["serviceAccountToken"]
        return {given["path"]: _token(client, pod, title, given) if _CREDENTIALS in fields else ""}
    return {}


def _token(client: Client, pod: Object, title: str, given: Object) -> str:
    """A token for the service account of a pod, bound to the pod."""
    meta = pod["metadata"]
    spec: Object = {
        "audiences": [given["audience"]] if given.get("audience") else [],
        "expirationSeconds": given.get("expirationSeconds") or _TOKEN_SECONDS,
        "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
    }
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {}, "spec": spec}
    account = pod["spec"].get("serviceAccountName") or "default"
    try:
        answer = client.create(SERVICEACCOUNTS, meta["namespace"], request, "token", account)
    except StatusError as error:
        raise MountError(
            f'MountVolume.SetUp failed for volume "{title}" : failed to fetch token: {error.message}'
        ) from error
    return str(answer["status"]["token"])


def _downward(pod: Object, item: Object, fields: Mapping[str, str]) -> str:
    if "fieldRef" in item:
        return field_value(pod, item["fieldRef"]["fieldPath"], fields)
    return resource_value(pod, pod["spec"]["containers"][0], item["resourceFieldRef"])


def _picked(client: Client, kind: ResourceType, pod: Object, title: str, name: str, given: Object) -> dict[str, str]:
    """The entries of a ConfigMap or Secret that the volume wants, by path."""
    try:
        data = object_data(referred(client, kind, pod["metadata"]["namespace"], name))
    except StatusError as error:
        if isinstance(error, NotFound) and given.get("optional"):
            return {}
        raise MountError(f'MountVolume.SetUp failed for volume "{title}" : {error.message}') from error
    items = given.get("items")
    if not items:
        return data
    missing = [item["key"] for item in items if item["key"] not in data]
    if missing and not given.get("optional"):
        why = "references non-existent config key" if kind is CONFIGMAPS else "references non-existent secret key"
        raise MountError(f'MountVolume.SetUp failed for volume "{title}" : {why}: {missing[0]}')
    return {item["path"]: data[item["key"]] for item in items if item["key"] in data}
