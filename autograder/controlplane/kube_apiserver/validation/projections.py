"""Rules for volumes that are put together from several sources, and for what pods may learn of themselves.

Source: validateProjectionSources, validateObjectFieldSelector and validateContainerResourceFieldSelector in
pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field, quantity
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.apimachinery.types.unversioned import unversioned
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.files import file_mode, key_to_path, plain_path
from autograder.controlplane.kube_apiserver.validation.meta import annotation_map, invalid, label_selector
from autograder.controlplane.kube_apiserver.validation.rules import one_of

Object = Mapping[str, Any]

VOLUME_FIELDS: Final = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
)  # fmt: skip
ENVIRONMENT_FIELDS: Final = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
#: Fields of a pod that selectors and the downward API know.
KNOWN_FIELDS: Final = {
    *VOLUME_FIELDS, *ENVIRONMENT_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.host",
}  # fmt: skip
RESOURCE_FIELDS: Final = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
HUGE_PAGES: Final = ("limits.hugepages-", "requests.hugepages-")
SIZES: Final = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
#: Resource -> the divisors that it may have, and how the message calls it.
DIVISORS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "cpu": (("1m", "1"), "cpu"),
    "memory": (SIZES, "memory"),
    "ephemeral-storage": (SIZES, "local ephemeral storage"),
}
KEY_TYPES: Final = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
CONFLICT: Final = "conflicting duplicate paths"
TOKEN_LIFETIME: Final = (10 * 60, 1 << 32)
CERTIFICATE_FILES: Final = ("credentialBundlePath", "keyPath", "certificateChainPath")
CERTIFICATE_LIFETIME: Final = (3600, 91 * 24 * 3600)


def validate_downward_api(source: Object, path: Path) -> Iterator[FieldError]:
    """A volume with facts about the pod; errors of its items name the volume."""
    yield from file_mode(source.get("defaultMode"), path.child("defaultMode"))
    for item in source.get("items", ()):
        yield from _downward_file(item, path)


def validate_projections(sources: list[Object], path: Path) -> Iterator[FieldError]:
    """The sources of a projected volume; no two may write the same file."""
    volume = _Volume(path)
    for position, source in enumerate(sources):
        at = path.child("sources").index(position)
        for kind, rule in _RULES.items():
            if kind in source:
                yield from rule(source[kind], at.child(kind), volume)
        if len(source) > 1:
            yield field.forbidden(at, "may not specify more than 1 volume type per source")


class _Volume:
    """A projected volume, and the files that its sources write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._taken: set[str] = set()

    def take(self, target: str, value: str) -> Iterator[FieldError]:
        """Note that a source writes a file; ``value`` is what an error quotes."""
        if target in self._taken:
            yield field.invalid(self.path, value, CONFLICT)
        self._taken.add(target)


def _keys(source: Object, path: Path, volume: _Volume) -> Iterator[FieldError]:
    """Keys of a Secret or a ConfigMap."""
    if not source.get("name"):
        yield field.required(path.child("name"))
    for place, item in enumerate(source.get("items", ())):
        yield from key_to_path(item, path.child("items").index(place))
        if item["path"]:
            yield from volume.take(item["path"], source.get("name", ""))


def _facts(source: Object, path: Path, volume: _Volume) -> Iterator[FieldError]:
    """What a pod learns of itself."""
    for item in source.get("items", ()):
        yield from _downward_file(item, path)
        if item["path"]:
            yield from volume.take(item["path"], item["path"])


def _token(token: Object, path: Path, volume: _Volume) -> Iterator[FieldError]:
    low, high = TOKEN_LIFETIME
    lifetime = token.get("expirationSeconds", low)
    at = path.child("expirationSeconds")
    if lifetime < low:
        yield field.invalid(at, lifetime, "may not specify a duration less than 10 minutes")
    if lifetime > high:
        yield field.invalid(at, lifetime, "may not specify a duration larger than 2^32 seconds")
    if not token["path"]:
        yield field.required(volume.path.child("path"))
    else:
        yield from plain_path(token["path"], volume.path.child("path"))


def _trust_bundle(bundle: Object, path: Path, volume: _Volume) -> Iterator[FieldError]:
    name, signer = bundle.get("name"), bundle.get("signerName")
    if name is not None and signer is not None:
        yield field.invalid(
            path,
            unversioned(bundle, "core.ClusterTrustBundleProjection"),
            "only one of name and signerName may be used",
        )
    elif name is not None:
        if not name:
            yield field.required(path.child("name"), "must be a valid object name")
        for sentence in names.dns_subdomain(name.rpartition(":")[2]):
            yield field.invalid(path.child("name"), name, f"not a valid clustertrustbundlename: {sentence}")
        if "labelSelector" in bundle:
            why = "labelSelector must be unset if name is specified"
            yield field.invalid(path.child("labelSelector"), bundle["labelSelector"], why)
    elif signer is not None:
        if not signer:
            yield field.required(path.child("signerName"), "must be a valid signer name")
        yield from signer_name(signer, path.child("signerName"))
        yield from label_selector(bundle.get("labelSelector"), path.child("labelSelector"))
    else:
        yield field.required(path, "either name or signerName must be specified")
    if not bundle["path"]:
        yield field.required(path.child("path"))
    yield from plain_path(bundle["path"], path.child("path"))
    yield from volume.take(bundle["path"], bundle["path"])


def _certificate(certificate: Object, path: Path, volume: _Volume) -> Iterator[FieldError]:
    yield from signer_name(certificate.get("signerName", ""), path.child("signerName"))
    yield from annotation_map(certificate.get("userAnnotations"), path.child("userAnnotations"))
    yield from one_of(certificate.get("keyType", ""), path.child("keyType"), KEY_TYPES)
    lifetime = certificate.get("maxExpirationSeconds")
    low, high = CERTIFICATE_LIFETIME
    if certificate.get("signerName", "").partition("/")[0] == "kubernetes.io":
        high = 24 * 3600
    if lifetime is not None and lifetime < low:
        why = f"if provided, maxExpirationSeconds must be >= {low}"
        yield field.invalid(path.child("maxExpirationSeconds"), lifetime, why)
    if lifetime is not None and lifetime > high:
        why = f"if provided, maxExpirationSeconds must be <= {high}"
        yield field.invalid(path.child("maxExpirationSeconds"), lifetime, why)
    for target in CERTIFICATE_FILES:
        if given := certificate.get(target):
            yield from plain_path(given, path.child(target))
            yield from volume.take(given, given)
    if not any(certificate.get(target) for target in CERTIFICATE_FILES):
        yield field.required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath")


#: Kind of source -> its rule, in the order in which a real server judges them.
_RULES: Final[dict[str, Callable[[Object, Path, _Volume], Iterator[FieldError]]]] = {
    "secret": _keys,
    "configMap": _keys,
    "downwardAPI": _facts,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _trust_bundle,
    "podCertificate": _certificate,
}


def signer_name(name: str, path: Path) -> Iterator[FieldError]:
    """The name of a signer of certificates: a domain and a path below it."""
    if not name:
        yield field.required(path)
        return
    domain, slash, rest = name.partition("/")
    if not slash or "/" in rest or not domain or not rest:
        why = 'must be a fully qualified domain and path of the form "example.com/signer-name"'
        yield field.invalid(path, name, why)
        return
    yield from invalid(path, domain, names.dns_subdomain(domain))
    yield from invalid(path, rest, names.dns_subdomain(rest))


def _downward_file(item: Object, path: Path) -> Iterator[FieldError]:
    if not item["path"]:
        yield field.required(path.child("path"))
    yield from plain_path(item["path"], path.child("path"))
    if "fieldRef" in item:
        yield from field_reference(item["fieldRef"], path.child("fieldRef"), VOLUME_FIELDS)
        if "resourceFieldRef" in item:
            why = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield field.invalid(path, "resource", why)
    elif "resourceFieldRef" in item:
        yield from resource_reference(item["resourceFieldRef"], path.child("resourceFieldRef"), names_container=True)
    else:
        yield field.required(path, "one of fieldRef and resourceFieldRef is required")
    yield from file_mode(item.get("mode"), path.child("mode"))


def field_reference(reference: Object, path: Path, supported: Collection[str]) -> Iterator[FieldError]:
    """A field of the pod, such as ``metadata.name`` or ``metadata.labels['app']``."""
    if not reference.get("apiVersion"):
        yield field.required(path.child("apiVersion"))
        return
    given = reference["fieldPath"]
    if not given:
        yield field.required(path.child("fieldPath"))
        return
    name, subscript = _split_subscript(given)
    if problem := _unknown_field(reference["apiVersion"], given, name, subscript):
        yield field.invalid(path.child("fieldPath"), given, f"error converting fieldPath: {problem}")
    elif subscript is None:
        name = "spec.nodeName" if name == "spec.host" else name
        yield from one_of(name, path.child("fieldPath"), supported)
    else:
        key = subscript.lower() if name == "metadata.annotations" else subscript
        yield from invalid(path, key, names.label_key(key))


def _split_subscript(text: str) -> tuple[str, str | None]:
    """``metadata.labels['app']`` is ``metadata.labels`` and ``app``; other texts have no subscript."""
    if not text.endswith("']"):
        return text, None
    name, found, subscript = text.removesuffix("']").partition("['")
    return (name, subscript) if found and name else (text, None)


def _unknown_field(version: str, given: str, name: str, subscript: str | None) -> str:
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscript is not None:
        subscriptable = name in ("metadata.annotations", "metadata.labels")
        return "" if subscriptable else f"field label does not support subscript: {given}"
    return "" if name in KNOWN_FIELDS else f"field label not supported: {given}"


def resource_reference(reference: Object, path: Path, *, names_container: bool) -> Iterator[FieldError]:
    """A limit or request of a container, such as ``limits.cpu``."""
    name = reference["resource"]
    if names_container and not reference.get("containerName"):
        yield field.required(path.child("containerName"))
    elif not name:
        yield field.required(path.child("resource"))
    elif name not in RESOURCE_FIELDS and not name.startswith(HUGE_PAGES):
        yield field.not_supported(path.child("resource"), name, RESOURCE_FIELDS)
    divisor = reference.get("divisor", "0")
    if quantity.parse(divisor).unscaled == 0:
        return
    resource = name.partition(".")[2] if name in RESOURCE_FIELDS else ""
    allowed, called = DIVISORS.get(resource, (SIZES, "hugepages" if name.startswith(HUGE_PAGES) else ""))
    if called and divisor not in allowed:
        listed = " and ".join(allowed) if resource == "cpu" else ", ".join(allowed)
        why = f"only divisor's values {listed} are supported with the {called} resource"
        yield field.invalid(path.child("divisor"), name, why)
