"""Which NetworkPolicies, Ingresses, EndpointSlices and Endpoints are accepted, and what they get by default."""

from __future__ import annotations

import pytest


def policy(**spec):
    """A NetworkPolicy."""
    metadata = {"name": "p", "namespace": "dev"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def ingress(*paths, **spec):
    """An Ingress with one rule for some paths."""
    metadata = {"name": "i", "namespace": "dev"}
    rules = [{"http": {"paths": list(paths)}}] if paths else []
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {"rules": rules, **spec},
    }  # fmt: skip


def path(path="/", kind="Prefix", **backend):
    """A path to the Service ``web``, or another backend."""
    return {"path": path, "pathType": kind, "backend": backend or {"service": {"name": "web", "port": {"number": 80}}}}


def endpoint_slice(*addresses, kind="IPv4", **fields):
    """An EndpointSlice with one endpoint."""
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "e", "namespace": "dev"},
        "addressType": kind, "endpoints": [{"addresses": list(addresses)}], **fields,
    }  # fmt: skip


def test_a_policy_is_about_ingress_and_about_egress_if_it_has_rules_for_it(completed):
    assert completed(policy())["spec"]["policyTypes"] == ["Ingress"]
    assert completed(policy(egress=[{}]))["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert completed(policy(ingress=[{"ports": [{"port": 80}]}]))["spec"]["ingress"] == [
        {"ports": [{"port": 80, "protocol": "TCP"}]}
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ingress": [{"from": [{"podSelector": {}}]}]}, []),
        ({"ingress": [{"from": [{}]}]}, ["spec.ingress[0].from[0]: Required value: must specify a peer"]),
        ({"egress": [{"to": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}]}, [
            "spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer",
        ]),
        ({"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]}]}, [
            'spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
        ]),
        ({"ingress": [{"ports": [{"port": 80, "endPort": 79}]}]}, [
            "spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`",
        ]),
        ({"ingress": [{"ports": [{"port": "web", "endPort": 81}]}]}, [
            "spec.ingress[0].ports[0].endPort: Invalid value: 81: may not be specified when `port` is non-numeric",
        ]),
        ({"policyTypes": ["Both"]}, [
            'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"',
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_policy(refusals, spec, expected):
    assert refusals(policy(**spec)) == expected


def test_blocks_that_were_there_before_stay_allowed(refusals_of_change):
    lenient = policy(ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.1/8"}}]}])
    assert refusals_of_change(lenient, lenient) == []


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (ingress(path()), []),
        (ingress(), ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"]),
        (ingress(path("web")), [
            'spec.rules[0].http.paths[0].path: Invalid value: "web": must be an absolute path',
        ]),
        (ingress(path("/a/../b/..")), [
            "spec.rules[0].http.paths[0].path: Invalid value: \"/a/../b/..\": must not contain '/../'",
            "spec.rules[0].http.paths[0].path: Invalid value: \"/a/../b/..\": cannot end with '/..'",
        ]),
        (ingress(path(kind="prefix")), [
            'spec.rules[0].http.paths[0].pathType: Unsupported value: "prefix": '
            'supported values: "Exact", "ImplementationSpecific", "Prefix"',
        ]),
        (ingress(path(service={"name": "web"})), [
            "spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
        ]),
        (ingress(path(), tls=[{"hosts": ["*.a.*"], "secretName": "S"}], ingressClassName="nginx"), [
            'spec.tls[0].hosts[0]: Invalid value: "*.a.*": '
            'a wildcard DNS-1123 subdomain must start with \'*.\', followed '
            "by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end "
            "with "
            "an alphanumeric character (e.g. '*.example.com', regex used for validation is "
            "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            'spec.tls[0].secretName: Invalid value: "S": a lowercase RFC 1123 subdomain must consist of lower case '
            "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
            "'example.com', regex used for validation is "
            "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_an_ingress(refusals, manifest, expected):
    assert refusals(manifest) == expected


def test_the_controller_of_an_ingress_class_has_a_domain_and_stays(refusals, refusals_of_change):
    def ingress_class(controller):
        named = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "c"}}
        return {**named, "spec": {"controller": controller}}

    assert refusals(ingress_class("nginx")) == [
        'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")'
    ]
    assert refusals_of_change(ingress_class("a.io/b"), ingress_class("a.io/c")) == [
        'spec.controller: Invalid value: "a.io/c": field is immutable'
    ]


def test_ports_of_a_slice_are_tcp_and_nameless(completed):
    assert completed(endpoint_slice("10.1.2.3", ports=[{"port": 80}]))["ports"] == [
        {"port": 80, "name": "", "protocol": "TCP"}
    ]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (endpoint_slice("10.1.2.3"), []),
        (endpoint_slice(), ["endpoints[0].addresses: Required value: must contain at least 1 address"]),
        (endpoint_slice("::1"), [
            'endpoints[0].addresses: Invalid value: "::1": must be an IPv4 address',
            'endpoints[0].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        ]),
        (endpoint_slice("FD00::1", kind="IPv6"), [
            'endpoints[0].addresses[0]: Invalid value: "FD00::1": must be in canonical form ("fd00::1")',
        ]),
        (endpoint_slice("host", kind="FQDN"), [
            'endpoints[0].addresses[0]: Invalid value: "host": '
            "should be a domain with at least two segments separated by dots",
        ]),
        (endpoint_slice("10.1.2.3", ports=[{"port": 80}, {"port": 81}]), ['ports[1].name: Duplicate value: ""']),
        (endpoint_slice("10.1.2.3", kind="v4"), [
            'addressType: Unsupported value: "v4": supported values: "FQDN", "IPv4", "IPv6"',
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_slice(refusals, manifest, expected):
    assert refusals(manifest) == expected


def test_the_type_of_the_addresses_of_a_slice_stays(refusals_of_change):
    assert refusals_of_change(endpoint_slice("10.1.2.3"), endpoint_slice("fd00::1", kind="IPv6")) == [
        'addressType: Invalid value: "IPv6": field is immutable'
    ]


@pytest.mark.parametrize(
    ("subset", "expected"),
    [
        ({"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}, []),
        ({"ports": [{"port": 80}]}, ["subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"]),
        ({"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}, {"name": "b", "port": 81}]}, [
            "subsets[0].ports[0].name: Required value",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_endpoints(refusals, subset, expected):
    endpoints = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "e", "namespace": "dev"}}
    assert refusals({**endpoints, "subsets": [subset]}) == expected
