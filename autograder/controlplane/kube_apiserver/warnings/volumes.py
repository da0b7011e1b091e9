"""What is said of a pod's volumes: kinds that are gone, and files that would lie upon each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery.field import Path, quoted
from autograder.controlplane.kube_apiserver.warnings.storage import of_claim_spec

Object = Mapping[str, Any]
#: A path within a volume, and what puts a file there.
Placed = tuple[str, str]

#: Field of a volume -> what is said of it.
_GONE: Final = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
#: Fields that messages spell as the Go type does.
_SPELT: Final = {"storageos": "storageOS"}
#: Kinds of volumes whose items become files -> what messages call them, and the field with their name.
_FILES_OF_ITEMS: Final = {
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "downwardAPI": ("DownwardAPI", ""),
}


def of_volumes(volumes: Iterable[Object], path: Path) -> Iterator[str]:
    """What is said of all volumes of a pod."""
    listed = list(volumes)
    for position, volume in enumerate(listed):
        here = path.index(position)
        for name, message in _GONE.items():
            if name in volume:
                yield f"{here.child(_SPELT.get(name, name))}: {message}"
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template:
            below = here.child("ephemeral").child("volumeClaimTemplate").child("spec")
            yield from of_claim_spec(template.get("spec") or {}, below)
    for volume in listed:
        yield from _of_overlaps(volume)


def _of_overlaps(volume: Object) -> Iterator[str]:
    name = quoted(volume["name"])
    for kind, (word, naming) in _FILES_OF_ITEMS.items():
        source = volume.get(kind)
        if source:
            described = f"{word} {quoted(source.get(naming, ''))}" if naming else word
            for overlap in _overlaps_with([(one["path"], "") for one in source.get("items") or ()], []):
                yield f"volume {name} ({described}): overlapping paths: {overlap}"
    sources = (volume.get("projected") or {}).get("sources") or ()
    placed_by_source = []
    for source in sources:
        if not source:
            yield f"volume {name} (Projected) has no sources provided"
            continue
        placed_by_source.append(_placed(source))
        *before, last = placed_by_source
        for overlap in _overlaps_with(last, [one for placed in before for one in placed]):
            yield f"volume {name} (Projected): overlapping paths: {overlap}"


def _placed(source: Object) -> list[Placed]:
    """Where a projected source puts files."""
    for kind, word in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if kind in source and source[kind].get("items"):
            described = f"{word} {quoted(source[kind].get('name', ''))}"
            return [(one["path"], described) for one in source[kind]["items"]]
    if source.get("downwardAPI", {}).get("items"):
        return [(one["path"], "DownwardAPI") for one in source["downwardAPI"]["items"]]
    if "serviceAccountToken" in source:
        return [(source["serviceAccountToken"]["path"], "ServiceAccountToken")]
    if "clusterTrustBundle" in source:
        bundle = source["clusterTrustBundle"]
        name = bundle["name"] if "name" in bundle else bundle.get("signerName", "")
        return [(bundle["path"], f"ClusterTrustBundle {quoted(name)}")]
    certificate = source.get("podCertificate") or {}
    parts = {
        "certificateChainPath": "PodCertificate chain",
        "keyPath": "PodCertificate key",
        "credentialBundlePath": "PodCertificate credential bundle",
    }
    return [(certificate[name], described) for name, described in parts.items() if certificate.get(name)]


def _overlaps_with(placed: list[Placed], before: list[Placed]) -> Iterator[str]:
    """What is said of each path that is, or lies above or below, one before it."""
    known = [(path.rstrip("/"), source) for path, source in before]
    for path, source in placed:
        bare = path.rstrip("/")
        for other, its_source in known:
            if bare and other and (f"{other}/".startswith(f"{bare}/") or f"{bare}/".startswith(f"{other}/")):
                yield f"{_spelt(bare, source)} with {_spelt(other, its_source)}"
        known.append((bare, source))


def _spelt(path: str, source: str) -> str:
    return f"{quoted(path)} ({source})" if source else quoted(path)
