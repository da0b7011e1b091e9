"""What the kubelet makes of a container's spec before the runtime gets it: words, environment, mounts.

Rules are those of pkg/kubelet/kubelet_pods.go and third_party/forked/golang/expansion.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Final

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import CONFIGMAPS, SECRETS, ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.containers.images import PATH, Image
from autograder.controlplane.containers.records import Mount, PodPort
from autograder.controlplane.containers.volumes import DISK, READ_ONLY

_REFERENCE: Final = re.compile(r"\$(\$|\(([^()]*)\))")
_SUBSCRIPT: Final = re.compile(r"metadata\.(annotations|labels)\['(.*)'\]")


class ConfigError(Exception):
    """A container cannot be created as it is specified; the message is the kubelet's."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$(NAME)`` as the value of NAME, if there is one; ``$$`` is a dollar."""

    def replacement(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return values.get(match[2], match[0])

    return _REFERENCE.sub(replacement, text)


def argv(container: Object, image: Image, env: Mapping[str, str]) -> tuple[str, ...]:
    """The words that a container runs: ``command`` and ``args`` in place of the image's entrypoint and command."""
    command, args = container.get("command"), container.get("args")
    if command:
        words: Iterable[str] = (*command, *(args or ()))
    elif args:
        words = (*image.entrypoint, *args)
    else:
        words = (*image.entrypoint, *image.command)
    return tuple(expand(word, env) if "$" in word else word for word in words)


def environment(
    client: Client, pod: Object, container: Object, image: Image, *, hostname: str, service_env: Mapping[str, str],
    fields: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """The variables of a container; raises ``ConfigError``.

    ``fields`` are the values of field paths that the pod's status has, such as ``status.podIP``.
    """
    namespace = pod["metadata"].get("namespace", "")
    result = {"PATH": PATH, "HOSTNAME": hostname, **dict(image.env), **service_env}
    for source in container.get("envFrom") or ():
        kind, reference = (
            (CONFIGMAPS, source["configMapRef"]) if "configMapRef" in source else (SECRETS, source["secretRef"])
        )
        data = _data(client, kind, namespace, reference["name"], optional=reference.get("optional", False))
        result |= {source.get("prefix", "") + key: value for key, value in (data or {}).items()}
    stated: dict[str, str] = {}
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            value = _value_from(client, pod, container, variable["valueFrom"], fields)
            if value is None:
                continue
        else:
            value = expand(variable.get("value", ""), {**service_env, **stated})
        stated[variable["name"]] = value
    return result | stated | {"HOME": stated.get("HOME", "/root")}


def _value_from(
    client: Client, pod: Object, container: Object, source: Object, fields: Mapping[str, str]
) -> str | None:
    namespace = pod["metadata"].get("namespace", "")
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], fields)
    if "resourceFieldRef" in source:
        return resource_value(pod, container, source["resourceFieldRef"])
    kind, title, reference = (
        (CONFIGMAPS, "ConfigMap", source["configMapKeyRef"]) if "configMapKeyRef" in source
        else (SECRETS, "Secret", source["secretKeyRef"])
    )  # fmt: skip
    optional = reference.get("optional", False)
    data = _data(client, kind, namespace, reference["name"], optional=optional)
    if data is None or reference["key"] not in data:
        if optional:
            return None
        raise ConfigError(f"couldn't find key {reference['key']} in {title} {namespace}/{reference['name']}")
    return data[reference["key"]]


def _data(client: Client, kind: ResourceType, namespace: str, name: str, *, optional: bool) -> dict[str, str] | None:
    try:
        return object_data(referred(client, kind, namespace, name))
    except NotFound as error:
        if optional:
            return None
        raise ConfigError(error.message) from error


def referred(client: Client, kind: ResourceType, namespace: str, name: str) -> Object:
    """A ConfigMap or Secret that a pod refers to.

    Raises ``NotFound`` in the words of the kubelet's own cache, which names the kind in the singular.
    """
    try:
        return client.get(kind, namespace, name)
    except NotFound as error:
        raise NotFound.on(kind.kind.lower(), kind.group, name) from error


def object_data(obj: Object) -> dict[str, str]:
    """The entries of a ConfigMap or Secret as text."""
    if obj["kind"] == "Secret":
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in (obj.get("data") or {}).items()}
    return dict(obj.get("data") or {})


def field_value(pod: Object, path: str, fields: Mapping[str, str]) -> str:
    """The value of a field path of the downward API."""
    match = _SUBSCRIPT.fullmatch(path)
    if match:
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        entries = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(entries.items()))
    if path in fields:
        return fields[path]
    found: object = pod
    for part in path.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return str(found)


def resource_value(pod: Object, container: Object, reference: Object) -> str:
    """A request or limit in units of its divisor, rounded up."""
    name = reference.get("containerName", container["name"])
    holder = next((one for one in pod["spec"]["containers"] if one["name"] == name), container)
    part, _, resource = reference["resource"].partition(".")
    text = ((holder.get("resources") or {}).get(part) or {}).get(resource)
    if text is None:
        return "0"
    divisor = quantity.parse(str(reference.get("divisor") or "1"))
    amount = quantity.parse(text)
    unit = divisor.at_scale(quantity.NANO) or quantity.parse("1").at_scale(quantity.NANO)
    return str(-(-amount.at_scale(quantity.NANO) // unit))


def mounts(container: Object, uid: str, volume_keys: Mapping[str, str], env: Mapping[str, str]) -> tuple[Mount, ...]:
    """The mounts of a container; ``volume_keys`` say where the machines keep each volume."""
    found = []
    for mount in container.get("volumeMounts") or ():
        sub_path = mount.get("subPath") or expand(mount.get("subPathExpr", ""), env)
        key = volume_keys.get(mount["name"], f"{uid}/{mount['name']}")
        read_only = mount.get("readOnly", False) or key.endswith(READ_ONLY)
        if key.startswith(DISK):
            disk, _, base = key.removeprefix(DISK).partition(":")
            key, sub_path = DISK + disk, f"{base}/{sub_path}"
        found.append(Mount(mount["mountPath"].rstrip("/") or "/", key, sub_path.strip("/"), read_only))
    return tuple(found)


def ports(spec: Object) -> tuple[PodPort, ...]:
    """The ports that the containers of a pod declare, sidecars included."""
    sidecars = (one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always")
    return tuple(
        PodPort(port.get("name", ""), port["containerPort"], port.get("protocol", "TCP"), port.get("hostPort", 0))
        for container in (*spec["containers"], *sidecars) for port in container.get("ports") or ()
    )  # fmt: skip


def service_variables(services: Iterable[Object]) -> dict[str, str]:
    """The variables that tell containers of services: ``<NAME>_SERVICE_HOST``, ``_PORT`` and docker's links."""
    result: dict[str, str] = {}
    for service in services:
        spec = service["spec"]
        address = spec.get("clusterIP", "")
        if address in ("", "None") or not spec.get("ports"):
            continue
        prefix = service["metadata"]["name"].upper().replace("-", "_")
        result[f"{prefix}_SERVICE_HOST"] = address
        result[f"{prefix}_SERVICE_PORT"] = str(spec["ports"][0]["port"])
        for number, port in enumerate(spec["ports"]):
            if port.get("name"):
                result[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
            protocol = port.get("protocol", "TCP")
            link = f"{prefix}_PORT_{port['port']}_{protocol}"
            url = f"{protocol.lower()}://{address}:{port['port']}"
            if number == 0:
                result[f"{prefix}_PORT"] = url
            result |= {link: url, f"{link}_PROTO": protocol.lower(), f"{link}_PORT": str(port["port"]),
                       f"{link}_ADDR": address}  # fmt: skip
    return result
