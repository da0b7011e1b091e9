"""Which HorizontalPodAutoscalers and PodDisruptionBudgets are accepted, and what they get by default."""

from __future__ import annotations

import pytest


def autoscaler(**spec):
    """A HorizontalPodAutoscaler of a Deployment."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    metadata = {"name": "h", "namespace": "dev"}
    named = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata}
    return {**named, "spec": {"scaleTargetRef": target, "maxReplicas": 3, **spec}}


def budget(**spec):
    """A PodDisruptionBudget."""
    metadata = {"name": "b", "namespace": "dev"}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


def metric(kind, field, **source):
    """One metric."""
    return {"type": kind, field: source}


def test_an_autoscaler_aims_at_80_percent_of_the_requested_cpu(completed):
    spec = completed(autoscaler())["spec"]
    target = {"type": "Utilization", "averageUtilization": 80}
    assert spec["minReplicas"] == 1
    assert spec["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    assert "behavior" not in spec


def test_a_behavior_keeps_what_it_gives_and_gets_the_rest(completed):
    behavior = completed(autoscaler(behavior={"scaleUp": {"stabilizationWindowSeconds": 60}}))["spec"]["behavior"]
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 60
    assert [policy["type"] for policy in behavior["scaleUp"]["policies"]] == ["Pods", "Percent"]
    assert behavior["scaleDown"] == {
        "selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    }  # fmt: skip


HALF = {"type": "Utilization", "averageUtilization": 50}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"metrics": [metric("Resource", "resource", name="cpu", target=HALF)]}, []),
        ({"maxReplicas": 0}, [
            "spec.maxReplicas: Required value: must be set and greater than 0",
            "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`",
        ]),
        ({"minReplicas": 0}, [
            "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
            "spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero "
            "replicas",
        ]),
        ({"scaleTargetRef": {"kind": "Deployment", "name": "web"}}, [
            'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
        ]),
        ({"scaleTargetRef": {"kind": "ReplicationController", "name": "web", "apiVersion": "v1"}}, []),
        ({"scaleTargetRef": {"kind": "A/B", "name": "web", "apiVersion": "a/b/c"}}, [
            "spec.scaleTargetRef.kind: Invalid value: \"A/B\": may not contain '/'",
            'spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        ]),
        ({"metrics": [metric("Pods", "resource", name="cpu", target=HALF)]}, [
            "spec.metrics[0].pods: Required value: must populate information for the given metric source",
        ]),
        ({"metrics": [metric("Pods", "pods", metric={"name": "rps"}, target={"type": "Value", "value": "0"})]}, [
            'spec.metrics[0].pods.target.value: Invalid value: "0": must be positive',
            "spec.metrics[0].pods.target.averageValue: Required value: must specify a positive target averageValue",
        ]),
        ({"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 1801}]}}}, [
            "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
            "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_an_autoscaler(refusals, spec, expected):
    assert refusals(autoscaler(**spec)) == expected


def test_an_empty_list_of_policies_is_not_completed(refusals):
    assert refusals(autoscaler(behavior={"scaleUp": {"policies": []}})) == [
        "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy"
    ]


def test_a_target_without_a_group_stays_allowed_while_it_does_not_change(refusals_of_change):
    ungrouped = autoscaler(scaleTargetRef={"kind": "Deployment", "name": "web"})
    assert refusals_of_change(ungrouped, {**ungrouped, "spec": {**ungrouped["spec"], "maxReplicas": 4}}) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 1}, []),
        ({"maxUnavailable": "50%"}, []),
        ({"minAvailable": -1}, ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"]),
        ({"minAvailable": "101%"}, ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%']),
        ({"minAvailable": 1, "maxUnavailable": 1}, [
            'spec: Invalid value: '
            '{"MinAvailable":1,"Selector":null,"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: '
            "minAvailable and maxUnavailable cannot be both set",
        ]),
        ({"unhealthyPodEvictionPolicy": "Never"}, [
            'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": '
            'supported values: "AlwaysAllow", "IfHealthyBudget"',
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_budget(refusals, spec, expected):
    assert refusals(budget(**spec)) == expected


def test_names_of_budgets_are_nearly_free(refusals):
    named = budget(minAvailable=1)
    named["metadata"]["name"] = "My Budget"
    assert refusals(named) == []
    named["metadata"]["name"] = "my/budget"
    assert refusals(named) == ["metadata.name: Invalid value: \"my/budget\": may not contain '/'"]
