"""Classes of storage and of Ingresses: which one is the default, and which one a claim or a volume names.

Source: pkg/volume/util/storageclass.go, component-helpers/storage/volume and the admission plugins of the defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Object = dict[str, Any]

#: Annotations by which old clients name the class of a claim or a volume, and that of an Ingress.
STORAGE_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
INGRESS_CLASS: Final = "kubernetes.io/ingress.class"
#: Kind of class -> the annotations that mark the default one.
_MARKS: Final[Mapping[str, tuple[str, ...]]] = {
    "IngressClass": ("ingressclass.kubernetes.io/is-default-class",),
    "StorageClass": (
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ),
}


def is_default(one: Object) -> bool:
    """Whether a class is marked as the default one."""
    annotations = one["metadata"].get("annotations") or {}
    return any(annotations.get(mark) == "true" for mark in _MARKS[one["kind"]])


def default_of(classes: Iterable[Object]) -> Object | None:
    """The newest of the classes that are marked as default, and of several as new the first by name; None without."""
    by_name = sorted(filter(is_default, classes), key=lambda one: str(one["metadata"]["name"]))
    return max(by_name, key=lambda one: str(one["metadata"]["creationTimestamp"]), default=None)


def storage_class_of(obj: Object) -> str:
    """The name of the class of a claim or a volume, or ''; the annotation counts before the field."""
    annotations = obj["metadata"].get("annotations") or {}
    name: str = annotations.get(STORAGE_CLASS, (obj.get("spec") or {}).get("storageClassName") or "")
    return name
