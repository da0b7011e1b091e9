"""Rules of a namespace, and what becomes of objects when others go: quotas, limits, budgets, owners, namespaces."""

from __future__ import annotations

import pytest
from lab import Lab, anywhere, condition, container, manifest, pod, requesting, workload

from autograder.controlplane.apimachinery.errors import AlreadyExists, Forbidden, TooManyRequests

# ---------------------------------------------------------------- quotas and limits


def quota(**hard: str) -> dict[str, object]:
    named = {key.replace("_", "."): value for key, value in hard.items()}
    return manifest("v1", "ResourceQuota", "quota", spec={"hard": named})


def is_in_force(lab: Lab) -> bool:
    return "hard" in lab.status("ResourceQuota", "quota")


@anywhere
def test_a_quota_refuses_what_goes_beyond_and_gives_back_what_is_freed(lab: Lab) -> None:
    lab.create(quota(pods="2"))
    lab.comes(lambda: is_in_force(lab))
    for name in ("one", "two"):
        lab.create(pod(name))
    with pytest.raises(Forbidden, match="exceeded quota"):
        lab.create(pod("three"))
    assert lab.status("ResourceQuota", "quota")["used"]["pods"] == "2"
    lab.cluster.delete("Pod", "one", grace_period=0)
    lab.comes(lambda: lab.status("ResourceQuota", "quota")["used"]["pods"] == "1")
    lab.create(pod("three"))


@anywhere
def test_a_quota_of_requests_asks_that_they_are_stated(lab: Lab) -> None:
    lab.create(quota(requests_cpu="1"))
    lab.comes(lambda: is_in_force(lab))
    with pytest.raises(Forbidden, match="must specify"):
        lab.create(pod("silent"))
    lab.create(pod("stated", requesting(cpu="600m")))
    with pytest.raises(Forbidden, match="exceeded quota"):
        lab.create(pod("more", requesting(cpu="600m")))


@anywhere
def test_a_controller_makes_as_many_pods_as_the_quota_lets_it(lab: Lab) -> None:
    lab.create(quota(pods="2"))
    lab.comes(lambda: is_in_force(lab))
    lab.create(workload("ReplicaSet", replicas=4))
    lab.runs(2, app="web")
    lab.comes(lambda: condition(lab.get("ReplicaSet", "web"), "ReplicaFailure") == "True")
    assert "FailedCreate" in lab.reasons("ReplicaSet")


@anywhere
def test_a_limit_range_fills_in_and_refuses(lab: Lab) -> None:
    limit = {
        "type": "Container", "default": {"cpu": "200m"}, "defaultRequest": {"cpu": "100m"}, "max": {"cpu": "500m"},
    }  # fmt: skip
    lab.create(manifest("v1", "LimitRange", "limits", spec={"limits": [limit]}))
    made = lab.create(pod("plain"))["spec"]["containers"][0]["resources"]
    assert made == {"limits": {"cpu": "200m"}, "requests": {"cpu": "100m"}}
    with pytest.raises(Forbidden, match="maximum cpu usage"):
        lab.create(pod("greedy", container(resources={"limits": {"cpu": "2"}})))


# ---------------------------------------------------------------- disruption budgets


@anywhere
def test_a_budget_lets_pods_go_one_by_one(lab: Lab) -> None:
    lab.create(workload("ReplicaSet", replicas=2))
    lab.runs(2, app="web")
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    lab.create(manifest("policy/v1", "PodDisruptionBudget", "web", spec=budget))
    lab.comes(lambda: lab.status("PodDisruptionBudget", "web").get("disruptionsAllowed") == 1)
    first, second = lab.names("Pod", app="web")
    lab.cluster.evict(first)
    with pytest.raises(TooManyRequests):
        lab.cluster.evict(second)
    lab.comes(lambda: lab.status("PodDisruptionBudget", "web").get("disruptionsAllowed") == 1)
    lab.cluster.evict(second)


# ---------------------------------------------------------------- owners and what they own


@anywhere
@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_what_an_owner_owned_goes_with_it(lab: Lab, propagation: str) -> None:
    lab.create(workload("Deployment", replicas=2))
    lab.runs(2, app="web")
    lab.cluster.delete("Deployment", "web", propagation=propagation)
    lab.comes(lambda: lab.is_gone("Deployment", "web"))
    lab.comes(lambda: not lab.names("ReplicaSet", app="web") and not lab.names("Pod", app="web"))


def test_in_the_foreground_the_owner_goes_last(lab: Lab) -> None:
    lab.create(workload("ReplicaSet", replicas=1))
    lab.runs(1, app="web")
    lab.cluster.delete("ReplicaSet", "web", propagation="Foreground")
    assert lab.get("ReplicaSet", "web")["metadata"]["finalizers"] == ["foregroundDeletion"]
    lab.comes(lambda: lab.is_gone("ReplicaSet", "web"))
    assert not lab.names("Pod", app="web")


@anywhere
def test_orphans_stay_and_are_found_again(lab: Lab) -> None:
    lab.create(workload("ReplicaSet", replicas=2))
    lab.runs(2, app="web")
    before = lab.names("Pod", app="web")
    lab.cluster.delete("ReplicaSet", "web", propagation="Orphan")
    lab.comes(lambda: lab.is_gone("ReplicaSet", "web"))
    assert lab.names("Pod", app="web") == before
    assert not any("ownerReferences" in one["metadata"] for one in lab.pods(app="web"))
    lab.create(workload("ReplicaSet", replicas=2))
    lab.comes(lambda: all("ownerReferences" in one["metadata"] for one in lab.pods(app="web")))
    assert lab.names("Pod", app="web") == before


# ---------------------------------------------------------------- namespaces


@anywhere
def test_a_new_namespace_has_what_pods_need(lab: Lab) -> None:
    lab.create(manifest("v1", "Namespace", "team"))
    lab.comes(lambda: "kube-root-ca.crt" in lab.names("ConfigMap", "team"))
    assert lab.names("ServiceAccount", "team") == ["default"]
    with pytest.raises(AlreadyExists):
        lab.create(manifest("v1", "Namespace", "team"))


@anywhere
def test_a_namespace_goes_with_everything_in_it(lab: Lab) -> None:
    lab.create(manifest("v1", "Namespace", "team"))
    lab.create(workload("Deployment", replicas=1), "team")
    lab.comes(lambda: len(lab.ready("team", app="web")) == 1)
    lab.cluster.delete("Namespace", "team")
    with pytest.raises(Forbidden, match="being terminated"):
        lab.create(pod("late"), "team")
    lab.comes(lambda: lab.is_gone("Namespace", "team"))
    assert not lab.names("Pod", "team")
