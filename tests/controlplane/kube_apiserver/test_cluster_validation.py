"""Which Namespaces, Nodes, PriorityClasses and Leases are accepted, and what may change about them."""

from __future__ import annotations

import pytest


def node(spec=None, status=None):
    """A Node."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": spec or {}, "status": status or {}}


def priority_class(name="high", **fields):
    """A PriorityClass."""
    return {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, **fields}


def lease(**spec):
    """A Lease."""
    metadata = {"name": "l", "namespace": "dev"}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def test_a_namespace_is_active_labelled_with_its_name_and_kept_until_emptied(completed):
    namespace = completed("{apiVersion: v1, kind: Namespace, metadata: {name: dev}}")
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": "dev"}
    assert namespace["spec"]["finalizers"] == ["kubernetes"]
    assert namespace["status"] == {"phase": "Active"}


def test_names_of_namespaces_have_no_dots(refusals):
    assert refusals("{apiVersion: v1, kind: Namespace, metadata: {name: a.b}}") == [
        'metadata.name: Invalid value: "a.b": must not contain dots'
    ]


def test_finalizers_of_a_namespace_are_standard_or_have_a_domain(refusals):
    manifest = "{apiVersion: v1, kind: Namespace, metadata: {name: dev}, spec: {finalizers: [mine, example.com/mine]}}"
    assert refusals(manifest) == [
        'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'
    ]


def test_all_capacity_of_a_node_is_allocatable(completed):
    assert completed(node(status={"capacity": {"cpu": "4"}}))["status"]["allocatable"] == {"cpu": "4"}


def test_the_single_pod_range_of_a_node_is_the_first_of_several(completed):
    assert completed(node({"podCIDR": "10.1.0.0/24"}))["spec"]["podCIDRs"] == ["10.1.0.0/24"]
    assert completed(node({"podCIDRs": ["10.1.0.0/24"]}))["spec"]["podCIDR"] == "10.1.0.0/24"


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, {}, []),
        ({"taints": [{"key": "a", "effect": "Never"}]}, {}, [
            'metadata.taints[0].effect: Unsupported value: "Never": '
            'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        ]),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule", "value": "b"}]}, {}, [
            'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoSchedule","TimeAdded":null}: '
            "taints must be unique by key and effect pair",
        ]),
        ({"podCIDRs": ["10.1.0.0/24", "10.2.0.0/24"]}, {}, [
            'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.2.0.0/24"]: '
            "may specify no more than one CIDR for each IP family",
        ]),
        ({}, {"capacity": {"pods": "-1"}, "allocatable": {"pods": "1"}}, [
            'status.capacity.pods: Invalid value: "-1": must be greater than or equal to 0',
        ]),
        ({}, {"declaredFeatures": ["B", "A"]}, [
            'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_node(refusals, spec, status, expected):
    assert refusals(node(spec, status)) == expected


def test_a_node_keeps_its_pod_range_and_provider_id(refusals_of_change):
    before = node({"podCIDR": "10.1.0.0/24", "providerID": "kind://n"})
    assert refusals_of_change(before, node({"podCIDR": "10.2.0.0/24"})) == [
        'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
        'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("high", 1_000_000_000, []),
        ("high", 1_000_000_001, ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]),
        ("system-cluster-critical", 2_000_000_000, []),
        ("system-mine", 1, [
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
            "error: system-mine is not a known system priority class",
        ]),
    ],
)  # fmt: skip
def test_the_highest_priorities_belong_to_the_system(refusals, name, value, expected):
    assert refusals(priority_class(name, value=value)) == expected


def test_a_priority_stays_and_preempts_by_default(completed, refusals_of_change):
    assert completed(priority_class(value=1))["preemptionPolicy"] == "PreemptLowerPriority"
    assert refusals_of_change(priority_class(value=1), priority_class(value=2)) == [
        "value: Forbidden: may not be changed in an update."
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"holderIdentity": "n", "leaseDurationSeconds": 40}, []),
        ({"leaseDurationSeconds": 0}, ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]),
        ({"leaseTransitions": -1}, ["spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"]),
    ],
)
def test_what_is_said_of_a_lease(refusals, spec, expected):
    assert refusals(lease(**spec)) == expected
