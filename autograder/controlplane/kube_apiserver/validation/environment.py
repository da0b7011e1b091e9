"""Rules for the environment variables of a container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.files import no_backsteps
from autograder.controlplane.kube_apiserver.validation.meta import invalid
from autograder.controlplane.kube_apiserver.validation.projections import (
    ENVIRONMENT_FIELDS,
    field_reference,
    resource_reference,
)

Object = Mapping[str, Any]

SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
NO_SOURCE: Final = (
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
)
MANY_SOURCES: Final = "may not have more than one field specified at a time"


def validate_environment(container: Object, path: Path) -> Iterator[FieldError]:
    """The variables of a container, those taken from elsewhere by the dozen included."""
    for position, variable in enumerate(container.get("env", ())):
        at = path.child("env").index(position)
        if not variable["name"]:
            yield field.required(at.child("name"))
        else:
            yield from invalid(at.child("name"), variable["name"], names.environment_name(variable["name"]))
        if "valueFrom" in variable:
            yield from _value_from(variable, at.child("valueFrom"))
    for position, source in enumerate(container.get("envFrom", ())):
        yield from _env_from(source, path.child("envFrom"), position)


def _env_from(source: Object, path: Path, position: int) -> Iterator[FieldError]:
    at = path.index(position)
    if prefix := source.get("prefix"):
        yield from invalid(at.child("prefix"), prefix, names.environment_name(prefix))
    given = [name for name in ("configMapRef", "secretRef") if name in source]
    for name in given:
        target = source[name].get("name")
        if not target:
            yield field.required(at.child(name).child("name"))
        else:
            check = names.prefix_of(names.dns_subdomain)
            yield from invalid(at.child(name).child("name"), target, check(target))
    if not given:
        yield field.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(given) > 1:
        yield field.invalid(path, "", MANY_SOURCES)


def _value_from(variable: Object, path: Path) -> Iterator[FieldError]:
    source = variable["valueFrom"]
    given = [name for name in SOURCES if name in source]
    for name in given:
        at, reference = path.child(name), source[name]
        if name == "fieldRef":
            yield from field_reference(reference, at, ENVIRONMENT_FIELDS)
        elif name == "resourceFieldRef":
            yield from resource_reference(reference, at, names_container=False)
        elif name == "fileKeyRef":
            yield from _file_key(reference, at)
        else:
            yield from _key(reference, at)
    if not given:
        yield field.invalid(path, "", NO_SOURCE)
    elif variable.get("value"):
        yield field.invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield field.invalid(path, "", MANY_SOURCES)


def _key(reference: Object, path: Path) -> Iterator[FieldError]:
    name, key = reference.get("name", ""), reference["key"]
    yield from invalid(path.child("name"), name, names.dns_subdomain(name))
    if not key:
        yield field.required(path.child("key"))
    else:
        yield from invalid(path.child("key"), key, names.config_key(key))


def _file_key(reference: Object, path: Path) -> Iterator[FieldError]:
    key, volume, target = reference["key"], reference["volumeName"], reference["path"]
    if not key:
        yield field.required(path.child("key"))
    else:
        yield from invalid(path.child("key"), key, names.environment_name(key))
    if not volume:
        yield field.required(path.child("volumeName"))
    else:
        yield from invalid(path.child("volumeName"), volume, names.dns_label(volume))
    if not target:
        yield field.required(path.child("path"))
    else:
        yield from no_backsteps(target, path.child("path"))


def validate_file_keys(spec: Object, path: Path) -> Iterator[FieldError]:
    """Variables read from files need a volume of the pod that can hold such a file."""
    volumes = {volume["name"]: volume for volume in spec.get("volumes", ())}
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for position, container in enumerate(spec.get(kind) or ()):
            for place, variable in enumerate(container.get("env", ())):
                reference = variable.get("valueFrom", {}).get("fileKeyRef")
                if reference is None:
                    continue
                at = path.child(kind).index(position).child("env").index(place)
                at = at.child("valueFrom").child("fileKeyRef").child("volumeName")
                name = reference["volumeName"]
                if name not in volumes:
                    yield field.not_found(at, name)
                elif "emptyDir" not in volumes[name]:
                    yield field.invalid(at, name, "referenced volume must be of type emptyDir")
