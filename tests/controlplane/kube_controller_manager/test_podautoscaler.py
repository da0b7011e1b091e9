"""An autoscaler without metrics keeps to its bounds, and says what it misses."""

from __future__ import annotations

import pytest
from controller_world import Object, World, deployment, workload

from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS

NO_METRICS = (
    "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: "
    "the server could not find the requested resource (get pods.metrics.k8s.io)"
)


def autoscaler(name: str = "web", target: str = "web", **spec: object) -> Object:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    body = {"scaleTargetRef": reference, "minReplicas": 2, "maxReplicas": 4, **spec}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": body}


def condition(world: World, kind: str, name: str = "web") -> tuple[str, str]:
    return world.condition(HORIZONTALPODAUTOSCALERS, name, kind)


@pytest.mark.parametrize(("replicas", "wanted"), [(1, 2), (2, 2), (4, 4), (9, 4)])
def test_the_number_of_replicas_is_brought_between_the_bounds(world: World, replicas: int, wanted: int) -> None:
    world.create(deployment(replicas=replicas))
    world.create(autoscaler())
    world.advance(40)
    assert world.get(DEPLOYMENTS, "web")["spec"]["replicas"] == wanted
    assert world.get(HORIZONTALPODAUTOSCALERS, "web")["status"]["currentReplicas"] == wanted


def test_it_looks_every_fifteen_seconds_and_not_before(world: World) -> None:
    world.create(deployment(replicas=1))
    world.create(autoscaler())
    world.advance(14)
    assert world.get(HORIZONTALPODAUTOSCALERS, "web")["status"] == {"currentMetrics": None, "desiredReplicas": 0}
    world.advance(2)
    assert condition(world, "AbleToScale") == ("True", "SucceededRescale")
    assert world.events("HorizontalPodAutoscaler") == [
        ("SuccessfulRescale", "New size: 2; reason: Current number of replicas below Spec.MinReplicas")
    ]
    world.advance(15)
    assert condition(world, "AbleToScale") == ("True", "SucceededGetScale")


def test_within_the_bounds_it_says_which_metric_it_misses(world: World) -> None:
    world.create(deployment(replicas=2))
    world.create(autoscaler())
    world.advance(16)
    assert condition(world, "ScalingActive") == ("False", "FailedGetResourceMetric")
    assert world.get(HORIZONTALPODAUTOSCALERS, "web")["status"]["currentMetrics"] == [{"type": ""}]
    failure = f"failed to get cpu utilization: {NO_METRICS}"
    whole = f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {failure}"
    assert world.events("HorizontalPodAutoscaler") == [
        ("FailedGetResourceMetric", failure),
        ("FailedComputeMetricsReplicas", whole),
    ]


def test_a_target_of_zero_replicas_is_left_alone(world: World) -> None:
    world.create(deployment(replicas=0))
    world.create(autoscaler())
    world.advance(16)
    assert condition(world, "ScalingActive") == ("False", "ScalingDisabled")
    assert world.get(DEPLOYMENTS, "web")["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone"}, 'deployments.apps "gone" not found'),
        (
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent"},
            "the server could not find the requested resource",
        ),
        ({"apiVersion": "apps/v1", "kind": "Thing", "name": "x"}, 'no matches for kind "Thing" in group "apps"'),
    ],
)
def test_a_target_without_a_scale_is_told(world: World, reference: Object, message: str) -> None:
    world.create(workload("DaemonSet", "agent", "agent"))
    world.create(autoscaler(scaleTargetRef=reference))
    world.advance(16)
    assert condition(world, "AbleToScale") == ("False", "FailedGetScale")
    assert world.events("HorizontalPodAutoscaler") == [("FailedGetScale", message)]


def test_two_autoscalers_of_the_same_pods_are_in_each_others_way(world: World) -> None:
    world.create(deployment(replicas=2))
    world.create(autoscaler("a"))
    world.create(autoscaler("b"))
    world.advance(40)
    assert condition(world, "ScalingActive", "a") == ("False", "AmbiguousSelector")
    assert ("AmbiguousSelector", "pods by selector app=web are controlled by multiple HPAs: [default/a default/b]") in (
        world.events("HorizontalPodAutoscaler")
    )
