"""The rules for Ingresses and IngressClasses (pkg/apis/networking/validation)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.classes import INGRESS_CLASS
from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden, invalid, required, too_long
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.addresses import parse_address, validate_address
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.rules import one_of, port_number, required_name
from autograder.controlplane.kube_apiserver.validation.services import validate_load_balancer_hostname

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
FORBIDDEN_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")
FORBIDDEN_AT_PATH_ENDS = ("/..", "/.")
MAX_CONTROLLER_LENGTH = 250
PARAMETER_SCOPES = ("Cluster", "Namespace")
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def validate_ingress(ingress: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Ingress."""
    errors = _validate(ingress, {})
    annotations, name = ingress["metadata"].get("annotations", {}), ingress.get("spec", {}).get("ingressClassName")
    if name is not None and annotations.get(INGRESS_CLASS, name) != name:
        path = Path("annotations").child(INGRESS_CLASS)
        both = "must match `ingressClassName` when both are specified"
        errors.append(invalid(path, annotations[INGRESS_CLASS], both))
    return errors


def validate_ingress_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [*validate_metadata_update(new["metadata"], old["metadata"]), *_validate(new, old.get("spec", {}))]


def validate_ingress_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new addresses of the load balancer."""
    return [*validate_metadata_update(new["metadata"], old["metadata"]), *_validate_status(new, old)]


def validate_ingress_class(ingress_class: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new IngressClass."""
    return [
        *validate_metadata(ingress_class["metadata"], namespaced=False),
        *_validate_class_spec(ingress_class.get("spec", {})),
    ]


def validate_ingress_class_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the controller stays."""
    controller, before = (one.get("spec", {}).get("controller", "") for one in (new, old))
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *immutable(controller, before, Path("spec").child("controller")),
        *validate_ingress_class(new),
    ]


def _validate(ingress: dict[str, Any], old_spec: dict[str, Any]) -> list[FieldError]:
    return [
        *validate_metadata(ingress["metadata"], namespaced=True),
        *_validate_spec(ingress.get("spec", {}), old_spec),
    ]


def _validate_spec(spec: dict[str, Any], old_spec: dict[str, Any]) -> Iterator[FieldError]:
    path, rules = Path("spec"), spec.get("rules")
    if not rules and "defaultBackend" not in spec:
        yield invalid(path, as_given(spec, "rules"), "either `defaultBackend` or `rules` must be specified")
    if "defaultBackend" in spec:
        yield from _validate_backend(spec["defaultBackend"], path.child("defaultBackend"))
    malformed_wildcards = any(
        "*" in rule.get("host", "") and list(_validate_http(rule, Path(""))) for rule in old_spec.get("rules") or ()
    )
    for index, rule in enumerate(rules or ()):
        yield from _validate_host(rule.get("host", ""), path.child("rules").index(index).child("host"))
        if not ("*" in rule.get("host", "") and malformed_wildcards):
            yield from _validate_http(rule, path.child("rules").index(index))
    yield from _validate_tls(spec.get("tls", []), old_spec.get("tls", []), path.child("tls"))
    if "ingressClassName" in spec:
        name = spec["ingressClassName"]
        yield from malformed(path.child("ingressClassName"), name, names.dns_subdomain(name))


def _validate_host(host: str, path: Path) -> Iterator[FieldError]:
    if not host:
        return
    if parse_address(host):
        yield invalid(path, host, "must be a DNS name, not an IP address")
    rule = names.wildcard_subdomain if "*" in host else names.dns_subdomain
    yield from malformed(path, host, rule(host))


def _validate_tls(entries: list[dict[str, Any]], before: list[dict[str, Any]], path: Path) -> Iterator[FieldError]:
    malformed_names = any(names.dns_subdomain(entry["secretName"]) for entry in before if entry.get("secretName"))
    for index, entry in enumerate(entries):
        for number, host in enumerate(entry.get("hosts", ())):
            rule = names.wildcard_subdomain if "*" in host else names.dns_subdomain
            yield from malformed(path.index(index).child("hosts").index(number), host, rule(host))
        name = entry.get("secretName", "")
        if name and not malformed_names:
            yield from malformed(path.index(index).child("secretName"), name, names.dns_subdomain(name))


def _validate_http(rule: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if "http" not in rule:
        return
    path, paths = path.child("http").child("paths"), rule["http"].get("paths") or []
    if not paths:
        yield required(path)
    for index, one in enumerate(paths):
        yield from _validate_path(one, path.index(index))


def _validate_path(entry: dict[str, Any], path: Path) -> Iterator[FieldError]:
    kind, text, here = entry.get("pathType"), entry.get("path", ""), path.child("path")
    if kind is None:
        yield required(path.child("pathType"), "pathType must be specified")
        return
    yield from one_of(kind, path.child("pathType"), PATH_TYPES)
    exact = kind in ("Exact", "Prefix")
    if (exact or (kind == "ImplementationSpecific" and text)) and not text.startswith("/"):
        yield invalid(here, text, "must be an absolute path")
    if exact:
        inner = [f"must not contain '{part}'" for part in FORBIDDEN_IN_PATHS if part in text]
        end = [f"cannot end with '{part}'" for part in FORBIDDEN_AT_PATH_ENDS if text.endswith(part)]
        yield from malformed(here, text, inner + end)
    yield from _validate_backend(entry.get("backend", {}), path.child("backend"))


def _validate_backend(backend: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if "resource" in backend and "service" in backend:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif "resource" in backend:
        yield from _validate_typed_reference(backend["resource"], path.child("resource"))
    elif "service" in backend:
        service = backend["service"]
        yield from required_name(service.get("name", ""), path.child("service").child("name"), names.dns_label)
        yield from _validate_service_port(service.get("port", {}), path)
    else:
        yield invalid(path, "", "resource or service backend is required")


def _validate_service_port(port: dict[str, Any], path: Path) -> Iterator[FieldError]:
    name, number, here = port.get("name", ""), port.get("number", 0), path.child("service").child("port")
    if name and number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif name:
        yield from malformed(here.child("name"), name, names.port_name(name))
    elif number:
        yield from port_number(number, here.child("number"))
    else:
        yield required(path, "port name or number is required")


def _validate_typed_reference(reference: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if reference.get("apiGroup") is not None:
        group = reference["apiGroup"]
        yield from malformed(path.child("apiGroup"), group, names.dns_subdomain(group))
    for name in ("kind", "name"):
        yield from required_name(reference.get(name, ""), path.child(name), names.path_segment)


def _validate_status(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    ingresses, before = (one.get("status", {}).get("loadBalancer", {}).get("ingress", []) for one in (new, old))
    known = [ingress.get("ip") for ingress in before]
    for index, ingress in enumerate(ingresses):
        path = Path("status").child("loadBalancer").child("ingress").index(index)
        if ingress.get("ip"):
            yield from validate_address(ingress["ip"], path.child("ip"), accepted_before=known)
        yield from validate_load_balancer_hostname(ingress.get("hostname", ""), path.child("hostname"))


def _validate_class_spec(spec: dict[str, Any]) -> Iterator[FieldError]:
    path, controller = Path("spec").child("controller"), spec.get("controller", "")
    if len(controller) > MAX_CONTROLLER_LENGTH:
        yield too_long(path, MAX_CONTROLLER_LENGTH)
    yield from _validate_domain_prefixed_path(controller, path)
    if "parameters" in spec:
        yield from _validate_parameters(spec["parameters"], Path("spec").child("parameters"))


def _validate_domain_prefixed_path(text: str, path: Path) -> Iterator[FieldError]:
    domain, _, rest = text.partition("/")
    if not text:
        yield required(path)
    elif not domain or not rest:
        yield invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from malformed(path, domain, names.dns_subdomain(domain))
        if not re.fullmatch(_HTTP_PATH, rest):
            yield invalid(path, rest, f"Invalid path (regex used for validation is '{_HTTP_PATH}')")


def _validate_parameters(parameters: dict[str, Any], path: Path) -> Iterator[FieldError]:
    yield from _validate_typed_reference(parameters, path)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        yield required(path.child("scope"))
        return
    yield from one_of(scope, path.child("scope"), PARAMETER_SCOPES)
    if namespace is None:
        if scope == "Namespace":
            yield required(path.child("namespace"), "`parameters.scope` is set to 'Namespace'")
    elif scope == "Namespace":
        yield from malformed(path.child("namespace"), namespace, names.dns_label(namespace))
    elif scope == "Cluster":
        yield forbidden(path.child("namespace"), "`parameters.scope` is set to 'Cluster'")
