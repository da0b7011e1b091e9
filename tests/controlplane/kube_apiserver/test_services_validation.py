"""Which Services are accepted, what they get by default, and what may change about them."""

from __future__ import annotations

import copy

import pytest

from autograder.controlplane.kube_apiserver.preparing import service_fields

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "dev"},
    "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
}


def service(**spec):
    """The plain Service with some fields of its spec given or (with None) left out."""
    changed = copy.deepcopy(SERVICE)
    changed["spec"] = {name: value for name, value in {**changed["spec"], **spec}.items() if value is not None}
    return changed


def test_a_service_is_a_cluster_ip_service_unless_it_says_otherwise(completed):
    spec = completed(SERVICE)["spec"]
    assert spec["type"] == "ClusterIP"
    assert spec["sessionAffinity"] == "None"
    assert spec["internalTrafficPolicy"] == "Cluster"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert "externalTrafficPolicy" not in spec


def test_a_load_balancer_allocates_node_ports_and_takes_traffic_on_any_node(completed):
    spec = completed(service(type="LoadBalancer"))["spec"]
    assert spec["allocateLoadBalancerNodePorts"] is True
    assert spec["externalTrafficPolicy"] == "Cluster"


def test_client_ip_affinity_lasts_three_hours(completed):
    spec = completed(service(sessionAffinity="ClientIP"))["spec"]
    assert spec["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"ports": None}, ["spec.ports: Required value"]),
        ({"ports": None, "clusterIP": "None", "clusterIPs": ["None"]}, []),
        (
            {"type": "Clusterip"},
            [
                'spec.type: Unsupported value: "Clusterip": '
                'supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
            ],
        ),
        ({"ports": [{"port": 0}]}, [
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
        ]),
        ({"ports": [{"port": 80}, {"port": 443}]}, [
            "spec.ports[0].name: Required value", "spec.ports[1].name: Required value",
        ]),
        ({"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}, [
            'spec.ports[1].name: Duplicate value: "a"',
        ]),
        ({"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]}, [
            'spec.ports[1]: Duplicate value: '
            '{"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
        ]),
        ({"ports": [{"port": 80, "nodePort": 30080}]}, [
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ]),
        ({"externalTrafficPolicy": "Local"}, [
            'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        ]),
        ({"type": "ExternalName", "ports": None}, ["spec.externalName: Required value"]),
        ({"type": "ExternalName", "externalName": "db.example.com", "clusterIPs": ["10.96.0.9"]}, [
            "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
        ]),
        ({"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}}, [
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: "
            "must be greater than 0 and less than 86400",
        ]),
        ({"externalIPs": ["127.0.0.1"]}, [
            'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        ]),
        ({"loadBalancerSourceRanges": ["10.0.0.0/8"]}, [
            "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
        ]),
        ({"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.1/8", " 10.0.0.0/8 "]}, [
            'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": '
            'must not have bits set beyond the prefix length',
        ]),
        ({"trafficDistribution": "Near"}, [
            'spec.trafficDistribution: Unsupported value: "Near": supported values: '
            '"PreferClose", "PreferSameZone", "PreferSameNode"',
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_service(refusals, spec, expected):
    assert refusals(service(**spec)) == expected


def test_names_of_services_may_begin_with_a_digit(refusals):
    named = service()
    named["metadata"]["name"] = "1web"
    assert refusals(named) == []


class TestAddresses:
    """The server completes addresses and IP families before it allocates."""

    def test_a_service_is_single_stack_in_the_family_of_the_cluster(self, completed):
        new = completed(SERVICE)
        assert service_fields.complete(new, None) == []
        assert (new["spec"]["ipFamilyPolicy"], new["spec"]["ipFamilies"]) == ("SingleStack", ["IPv4"])

    def test_a_headless_service_without_selector_has_both_families(self, completed):
        new = completed(service(clusterIP="None", selector=None))
        assert service_fields.complete(new, None) == []
        assert (new["spec"]["ipFamilyPolicy"], new["spec"]["ipFamilies"]) == ("RequireDualStack", ["IPv4", "IPv6"])
        assert new["spec"]["clusterIPs"] == ["None"]

    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            ({"clusterIP": "nonsense"}, [
                'spec.clusterIPs[0]: Invalid value: "nonsense": '
                'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
            ]),
            ({"clusterIP": "10.96.0.09"}, [
                'spec.clusterIPs[0]: Invalid value: "10.96.0.09": must not have leading 0s',
            ]),
            ({"clusterIP": "fd00::1"}, [
                'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
            ]),
            ({"ipFamilyPolicy": "RequireDualStack"}, [
                'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
                'this cluster is not configured for dual-stack services',
            ]),
            ({"ipFamilies": ["IPv6"]}, [
                'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
            ]),
            ({"clusterIPs": ["10.96.0.9"]}, [
                'spec.clusterIPs: Invalid value: ["10.96.0.9"]: must be empty when `clusterIP` is not specified',
            ]),
        ],
    )  # fmt: skip
    def test_what_is_said_of_addresses(self, completed, spec, expected):
        assert [str(error) for error in service_fields.complete(completed(service(**spec)), None)] == expected

    def test_a_manifest_can_be_sent_again_without_the_allocated_values(self, completed):
        ports = [{"name": "a", "port": 80, "nodePort": 30001}, {"name": "b", "port": 81, "nodePort": 30002}]
        old = completed(service(type="NodePort", clusterIP="10.96.0.9", ports=ports))
        service_fields.complete(old, None)
        new = completed(service(type="NodePort", ports=[{"name": "b", "port": 81}, {"name": "c", "port": 82}]))
        assert service_fields.complete(new, old) == []
        assert new["spec"]["clusterIPs"] == ["10.96.0.9"]
        assert [port.get("nodePort") for port in new["spec"]["ports"]] == [30002, None]

    def test_the_cluster_ip_cannot_change(self, completed, refusals_of_change):
        before, after = (
            service(clusterIP=address, clusterIPs=[address], ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
            for address in ("10.96.0.9", "10.96.0.10")
        )
        assert refusals_of_change(before, after) == [
            'spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set'
        ]


def test_a_service_that_becomes_an_external_name_loses_what_only_others_have(refusals_of_change, completed):
    addresses = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]}
    allocated = {**addresses, "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    before = service(type="NodePort", ports=[{"port": 80, "nodePort": 30080}], **allocated)
    after = service(
        type="ExternalName", externalName="db.example.com", ports=[{"port": 80, "nodePort": 30080}],
        externalTrafficPolicy="Cluster", **allocated,
    )  # fmt: skip
    assert refusals_of_change(before, after) == []
