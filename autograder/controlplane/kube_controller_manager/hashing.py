"""The hash of a pod template: what ``pod-template-hash`` and the names of ReplicaSets are made of.

Kubernetes hashes the template as Go's spew library prints the struct, types and unset fields included, with 32 bit
FNV-1a, and writes the number with letters that spell no words.  Source: pkg/controller/controller_utils.go
(ComputeHash), k8s.io/utils/dump, apimachinery/pkg/util/rand (SafeEncodeString).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from autograder.controlplane.apimachinery import types
from autograder.controlplane.apimachinery.quantity import BINARY_SUFFIXES, DECIMAL_SUFFIXES
from autograder.controlplane.apimachinery.wire import Object

_FNV_OFFSET: Final = 0x811C9DC5
_FNV_PRIME: Final = 0x01000193
_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
_NUMBERS: Final = frozenset(("int", "int32", "int64"))

#: Go's names of fields where they are not the JSON name with a capital.
_GO_NAMES: Final = {
    "apiGroup": "APIGroup", "apiVersion": "APIVersion", "awsElasticBlockStore": "AWSElasticBlockStore",
    "cephfs": "CephFS", "chapAuthDiscovery": "DiscoveryCHAPAuth", "chapAuthSession": "SessionCHAPAuth", "csi": "CSI",
    "diskURI": "DataDiskURI", "dnsConfig": "DNSConfig", "dnsPolicy": "DNSPolicy", "endpoints": "EndpointsName",
    "fc": "FC", "fsGroup": "FSGroup", "fsGroupChangePolicy": "FSGroupChangePolicy", "fsType": "FSType",
    "gcePersistentDisk": "GCEPersistentDisk", "gmsaCredentialSpec": "GMSACredentialSpec",
    "gmsaCredentialSpecName": "GMSACredentialSpecName", "grpc": "GRPC", "httpGet": "HTTPGet",
    "httpHeaders": "HTTPHeaders", "ip": "IP", "iqn": "IQN", "iscsi": "ISCSI", "iscsiInterface": "ISCSIInterface",
    "metadata": "ObjectMeta", "nfs": "NFS", "os": "OS", "pdName": "PDName", "rbd": "RBD",
    "seLinuxChangePolicy": "SELinuxChangePolicy", "seLinuxOptions": "SELinuxOptions",
    "serviceAccount": "DeprecatedServiceAccount", "sslEnabled": "SSLEnabled", "storageos": "StorageOS",
    "tcpSocket": "TCPSocket", "tty": "TTY", "uid": "UID", "wwids": "WWIDs",
}  # fmt: skip
_GO_NAMES_OF_RBD: Final = {"image": "RBDImage", "monitors": "CephMonitors", "pool": "RBDPool", "user": "RadosUser"}


def template_hash(template: Object, collisions: int | None = None) -> str:
    """The hash of a pod template; ``collisions`` (None: never one) makes it another one."""
    text = "".join(_printed("core/v1.PodTemplateSpec", template))
    extra = b"" if collisions is None else collisions.to_bytes(4, "little") + bytes(4)
    return safe_encode(str(fnv32a(text.encode() + extra)))


def fnv32a(data: bytes) -> int:
    """The 32 bit FNV-1a hash."""
    value = _FNV_OFFSET
    for byte in data:
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return value


def fnv32(data: bytes) -> int:
    """The 32 bit FNV-1 hash, which multiplies before it mixes."""
    value = _FNV_OFFSET
    for byte in data:
        value = (value * _FNV_PRIME & 0xFFFFFFFF) ^ byte
    return value


def safe_encode(text: str) -> str:
    """The text in letters and digits that can spell no word."""
    return "".join(_LETTERS[ord(character) % len(_LETTERS)] for character in text)


def _printed(go_type: str, value: Any) -> Iterator[str]:
    """A value with its type before it, as ``%#v`` of spew prints it; None is Go's zero value."""
    if go_type.startswith("*"):
        if value is None:
            yield f"({_spelled(go_type)})<nil>"
        else:
            yield from _pointed(go_type[1:], value)
        return
    yield f"({_spelled(go_type)})"
    yield from _bare(go_type, value)


def _pointed(go_type: str, value: Any) -> Iterator[str]:
    """What a pointer points to."""
    yield f"(*{_spelled(go_type)})"
    yield from _bare(go_type, value)


def _bare(go_type: str, value: Any) -> Iterator[str]:
    """A value without its type."""
    special = _SPECIAL.get(go_type)
    if special:
        yield special(value)
        return
    fields = types.struct(go_type) if _is_named(go_type) else None
    if fields is not None:
        yield from _struct(go_type, fields, value or {})
        return
    plain = types.underlying(go_type)
    if plain.startswith("[]"):
        yield from _list(plain[2:], value)
    elif plain.startswith("map["):
        yield from _map(plain.partition("]")[2], value)
    elif plain == "bool":
        yield "true" if value else "false"
    elif plain in _NUMBERS:
        yield str(value or 0)
    else:
        yield value or ""


def _struct(go_type: str, fields: Sequence[types.Field], value: Object) -> Iterator[str]:
    special = _GO_NAMES_OF_RBD if go_type == "core/v1.RBDVolumeSource" else {}
    yield "{"
    for position, field in enumerate(fields):
        json_name = field.json_name
        if position:
            yield " "
        if json_name:
            yield special.get(json_name) or _GO_NAMES.get(json_name) or json_name[0].upper() + json_name[1:]
        else:
            yield field.option
        yield ":"
        yield from _printed(field.go_type, value.get(json_name) if json_name else value)
    yield "}"


def _list(element: str, values: Sequence[Any] | None) -> Iterator[str]:
    if not values:
        yield "<nil>"
        return
    yield "["
    for position, value in enumerate(values):
        if position:
            yield " "
        yield from _bare(element, value)
    yield "]"


def _map(element: str, values: Object | None) -> Iterator[str]:
    if not values:
        yield "<nil>"
        return
    yield "map["
    for position, key in enumerate(sorted(values)):
        if position:
            yield " "
        yield f"{key}:"
        yield from _bare(element, values[key])
    yield "]"


def _is_named(go_type: str) -> bool:
    return "/" in go_type and not go_type.startswith(("[]", "map["))


def _spelled(go_type: str) -> str:
    """A type as Go's reflection spells it: ``core/v1.PodSpec`` is ``v1.PodSpec``."""
    for package in ("core/", "meta/"):
        go_type = go_type.replace(package, "")
    return go_type


def _time(value: str | None) -> str:
    return "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"


def _int_or_string(value: int | str | None) -> str:
    kind, number, text = (1, 0, value) if isinstance(value, str) else (0, value or 0, "")
    return f"{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}"


def _quantity(text: str | None) -> str:
    """A quantity as Go parses it; the text is kept only if that shows at once that it is canonical."""
    text = str(text or "")
    mantissa, marked, exponent = text.partition("e")
    number = mantissa if marked and exponent else text.rstrip("KMGTPEikmunpe")
    suffix = text[len(number) :]
    if marked and exponent:
        value, scale, format = int(number), int(exponent), "DecimalExponent"
        kept = not number.endswith("000")
    elif suffix in BINARY_SUFFIXES:
        value, scale, format = int(number) << BINARY_SUFFIXES[suffix], 0, "BinarySI"
        kept = int(number) % 8 != 0
    else:
        value, scale, format = int(number or 0), DECIMAL_SUFFIXES.get(suffix, 0), "DecimalSI"
        kept = text == "0" or not (number.endswith("000") or number.startswith("0"))
    return (
        f"{{i:(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}} "
        f"d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){text if kept else ''} "
        f"Format:(resource.Format){format}}}"
    )


_SPECIAL: Final = {"meta/v1.Time": _time, "intstr.IntOrString": _int_or_string, "resource.Quantity": _quantity}
