"""Which ResourceQuotas and LimitRanges are accepted, and what limits imply."""

from __future__ import annotations

import copy

import pytest

QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "dev"}}


def quota(**spec):
    """A ResourceQuota with a spec."""
    return {**copy.deepcopy(QUOTA), "spec": spec}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"hard": {"pods": "10", "requests.cpu": "4", "count/deployments.apps": "2"}}, []),
        ({"hard": {"requests.example.com/gpu": "1"}}, []),
        ({"hard": {"pods": "-1"}}, ['spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0']),
        ({"hard": {"pods": "1500m"}}, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']),
        ({"hard": {"pod": "1"}}, [
            'spec.hard[pod]: Invalid value: "pod": must be a standard resource type or fully qualified',
            'spec.hard[pod]: Invalid value: "pod": must be a standard resource for quota',
        ]),
        ({"hard": {"storage": "1"}}, [
            'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
        ]),
        ({"scopes": ["Besteffort"]}, ['spec.scopes: Invalid value: ["Besteffort"]: unsupported scope']),
        ({"hard": {"cpu": "1"}, "scopes": ["BestEffort"]}, [
            'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
        ]),
        ({"scopes": ["BestEffort", "NotBestEffort"]}, [
            'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
        ]),
        ({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}}, [
            "spec.scopeSelector.matchExpressions.values: Required value: "
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_quota(refusals, spec, expected):
    assert refusals(quota(**spec)) == expected


def test_the_limits_of_a_quota_may_change_and_its_scopes_may_not(refusals_of_change):
    before = quota(hard={"pods": "1"}, scopes=["BestEffort"])
    assert refusals_of_change(before, quota(hard={"pods": "2"}, scopes=["BestEffort"])) == []
    assert refusals_of_change(before, quota(hard={"pods": "1"}, scopes=["NotBestEffort"])) == [
        'spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable'
    ]


def limits(**limit):
    """A LimitRange with one limit."""
    metadata = {"name": "l", "namespace": "dev"}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": {"limits": [limit]}}


def test_limits_of_containers_imply_defaults(completed):
    given = limits(type="Container", max={"cpu": "1"}, min={"cpu": "10m", "memory": "8Mi"})
    [limit] = completed(given)["spec"]["limits"]
    assert limit["default"] == {"cpu": "1"}
    assert limit["defaultRequest"] == {"cpu": "1", "memory": "8Mi"}


def test_limits_of_pods_imply_no_defaults(completed):
    [limit] = completed(limits(type="Pod", max={"cpu": "1"}))["spec"]["limits"]
    assert limit == {"type": "Pod", "max": {"cpu": "1"}}


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"type": "Bogus"}, [
            'spec.limits[0].type: Invalid value: "Bogus": must be a standard limit type or fully qualified',
        ]),
        ({"type": "Pod", "default": {"cpu": "1"}}, [
            "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
        ]),
        ({"type": "PersistentVolumeClaim", "default": {"storage": "1Gi"}}, [
            "spec.limits[0].limits: Required value: "
            "either minimum or maximum storage value is required, but neither was provided",
        ]),
        ({"type": "Pod", "min": {"cpu": "2"}, "max": {"cpu": "1"}}, [
            'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
        ]),
        ({"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "2"}}, [
            'spec.limits[0].defaultRequest[cpu]: Invalid value: "2": '
            "default request value 2 is greater than default limit value 1",
        ]),
        ({"type": "Pod", "min": {"cpu": "1"}, "max": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": "3"}}, [
            'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
        ]),
        ({"type": "Container", "default": {"hugepages-2Mi": "4Mi"}, "defaultRequest": {"hugepages-2Mi": "2Mi"}}, [
            'spec.limits[0].defaultRequest[hugepages-2Mi]: Invalid value: "2Mi": '
            "default value 4Mi must equal to defaultRequest value 2Mi in hugepages-2Mi",
        ]),
    ],
)  # fmt: skip
def test_what_is_said_of_a_limit(refusals, limit, expected):
    assert refusals(limits(**limit)) == expected


def test_amounts_are_counted_in_thousandths(completed):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"cpu": "0.5m"}}}
    assert completed(quota)["spec"]["hard"] == {"cpu": "1m"}
    limits = [{"type": "PersistentVolumeClaim", "min": {"storage": "500u"}}]
    limit_range = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": limits}}
    assert completed(limit_range)["spec"]["limits"][0]["min"] == {"storage": "1m"}
