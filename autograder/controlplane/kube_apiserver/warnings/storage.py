"""What is said of volumes, claims and storage classes. Source: pkg/api/persistentvolume{,claim} and pkg/api/storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery.classes import STORAGE_CLASS
from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.kube_apiserver.warnings import nodes
from autograder.controlplane.kube_apiserver.warnings.quantities import of_whole_bytes

Object = Mapping[str, Any]

_USE_CLASS_FIELD: Final = 'deprecated since v1.8; use "storageClassName" attribute instead'
_ANNOTATIONS: Final = {
    STORAGE_CLASS: _USE_CLASS_FIELD,
    "volume.beta.kubernetes.io/mount-options": 'deprecated since v1.31; use "mountOptions" attribute instead',
}
#: Field of a volume's spec -> how messages spell it, and what is said of it.
_GONE: Final = {
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}


def of_persistent_volume(volume: Object) -> Iterator[str]:
    """What is said of a volume, be it new or changed."""
    spec, path = volume["spec"], Path("spec")
    notes = Path("metadata").child("annotations")
    for key, message in _ANNOTATIONS.items():
        if key in volume["metadata"].get("annotations", {}):
            yield f"{notes.key(key)}: {message}"
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        instead = "Instead, the recommended approach is to use dynamic provisioning."
        yield f"{path.child('persistentVolumeReclaimPolicy')}: The Recycle reclaim policy is deprecated. {instead}"
    terms = path.child("nodeAffinity").child("required").child("nodeSelectorTerms")
    required = spec.get("nodeAffinity", {}).get("required") or {}
    for position, term in enumerate(required.get("nodeSelectorTerms") or ()):
        yield from nodes.of_term(term, terms.index(position))
    for name, (spelt, message) in _GONE.items():
        if name in spec:
            yield f"{path.child(spelt)}: {message}"


def of_persistent_volume_claim(claim: Object) -> Iterator[str]:
    """What is said of a claim, be it new or changed."""
    if STORAGE_CLASS in claim["metadata"].get("annotations", {}):
        yield f"{Path('metadata').child('annotations').key(STORAGE_CLASS)}: {_USE_CLASS_FIELD}"
    yield from of_claim_spec(claim["spec"], Path("spec"))


def of_claim_spec(spec: Object, path: Path) -> Iterator[str]:
    """What is said of how much a claim wants."""
    resources = spec.get("resources") or {}
    for kind in ("requests", "limits"):
        yield from of_whole_bytes(resources.get(kind), path.child("resources").child(kind), "storage")


def of_storage_class(storage_class: Object) -> Iterator[str]:
    """What is said of where a class provisions volumes."""
    path = Path("allowedTopologies")
    for position, topology in enumerate(storage_class.get("allowedTopologies") or ()):
        here = path.index(position).child("matchLabelExpressions")
        for place, expression in enumerate(topology.get("matchLabelExpressions") or ()):
            if message := nodes.DEPRECATED_LABELS.get(expression["key"]):
                yield f"{here.index(place).child('key')}: {message}"
