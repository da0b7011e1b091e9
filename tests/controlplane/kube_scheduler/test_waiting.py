"""Which pod is next, when pods are tried again, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scheduling_world import World, node, pod, pod_info

from autograder.controlplane.apimachinery.scheme import EVENTS, NODES, PODS
from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Resource
from autograder.controlplane.kube_scheduler.queue import BACKOFF_TIMER, QueuedPod, SchedulingQueue

NODE_CAME = ClusterEvent(Resource.NODE, Action.ADD, None, node("n"))
WHO = "kube-scheduler"


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000 * SECOND)


@pytest.fixture
def queue(clock: Clock) -> SchedulingQueue:
    return SchedulingQueue(clock, WHO, lambda pod, gated_by: None)


def pop(queue: SchedulingQueue) -> QueuedPod:
    popped = queue.pop()
    assert popped is not None
    return popped


def all_concern(plugins: frozenset[str], event: ClusterEvent) -> bool:
    return True


def none_concern(plugins: frozenset[str], event: ClusterEvent) -> bool:
    return False


def always(queued: QueuedPod, event: ClusterEvent) -> bool:
    return True


def test_higher_priority_first_then_older_first(queue: SchedulingQueue, clock: Clock) -> None:
    for name, priority in (("late", 0), ("first", 0), ("vip", 10)):
        queue.add(pod_info(name, priority=priority))
        clock.now += 1
    queue.delete("default/late")
    queue.add(pod_info("late"))
    assert [pop(queue).pod.name for _ in range(3)] == ["vip", "first", "late"]
    assert queue.pop() is None


def test_a_rejected_pod_waits_until_something_matters(queue: SchedulingQueue) -> None:
    queue.add(pod_info())
    queue.add_unschedulable(pop(queue), frozenset({"NodeAffinity"}))
    assert queue.pop() is None
    queue.move(NODE_CAME, all_concern, lambda queued, event: False)
    assert queue.pop() is None
    queue.move(NODE_CAME, none_concern, always)
    assert queue.pop() is None
    queue.move(NODE_CAME, all_concern, always)
    assert pop(queue).attempts == 2


def test_an_idle_scheduler_does_not_wait_for_back_off(queue: SchedulingQueue) -> None:
    queue.add(pod_info("failed"))
    queue.add_unschedulable(pop(queue), frozenset({"NodeAffinity"}))
    queue.add(pod_info("new"))
    queue.move(NODE_CAME, all_concern, always)
    assert list(queue.backoff) == ["default/failed"]
    assert [pop(queue).pod.name for _ in range(2)] == ["new", "failed"]


def test_after_errors_back_off_doubles_up_to_ten_seconds(queue: SchedulingQueue, clock: Clock) -> None:
    queue.add(pod_info())
    waits = []
    for _ in range(6):
        failed = clock.now
        queue.add_unschedulable(pop(queue), frozenset())
        assert queue.pop() is None
        due = clock.due(WHO, BACKOFF_TIMER)
        assert due is not None
        clock.now = due
        assert clock.pop_due()
        queue.flush_backoff()
        waits.append((due - failed) // SECOND - 1)
    assert waits == [1, 2, 4, 8, 10, 10]


def test_a_gated_pod_is_not_tried(clock: Clock) -> None:
    from autograder.controlplane.kube_scheduler.framework import Framework
    from autograder.controlplane.kube_scheduler.plugins import SchedulingGates

    queue = SchedulingQueue(clock, WHO, Framework([SchedulingGates()]).pre_enqueue)
    gated = pod_info(schedulingGates=[{"name": "wait"}])
    queue.add(gated)
    assert queue.pop() is None
    assert queue.unschedulable[gated.key].gated_by == "SchedulingGates"
    opened = pod_info()
    event = ClusterEvent(Resource.UNSCHEDULED_POD, Action.POD_GATES_GONE, gated.object, opened.object)
    queue.update(opened, [event], always)
    assert pop(queue).pod is opened


@pytest.mark.parametrize(
    ("spec", "remedy"),
    [
        ({"cpu": "8"}, lambda world: world.add_node(node("big", "16"))),
        (
            {"nodeSelector": {"disk": "ssd"}},
            lambda world: world.patch(NODES, "n", {"metadata": {"labels": {"disk": "ssd"}}}),
        ),
        ({"cpu": "4"}, lambda world: world.delete("resident")),
        ({"cpu": "4"}, lambda world: world.patch(NODES, "n", {"status": {"allocatable": {"cpu": "8"}}}, "status")),
    ],
    ids=["a node that is large enough", "a label", "a pod that goes", "a node that grows"],
)
def test_what_helps_is_noticed(spec: dict[str, object], remedy: Callable[[World], None]) -> None:
    world = World(node("n", "4"))
    world.schedule("resident", "1")
    assert world.schedule("p", **spec) == ""  # type: ignore[arg-type]
    remedy(world)
    world.settle()
    assert world.node_of("p")


@pytest.mark.parametrize(
    "noise",
    [
        lambda world: world.add_node(node("small", "1")),
        lambda world: world.patch(NODES, "n", {"metadata": {"annotations": {"a": "b"}}}),
        lambda world: world.patch(NODES, "n", {"metadata": {"labels": {"x": "y"}}}),
        lambda world: world.schedule("other", "100m"),
    ],
    ids=["a node that is too small", "an annotation", "another label", "another pod"],
)
def test_what_cannot_help_is_not_worth_a_try(noise: Callable[[World], None]) -> None:
    world = World(node("n", "4"))
    world.schedule("p", "8")
    noise(world)
    world.settle()
    assert len(world.scheduler.attempts("default", "p")) == 1


def test_every_pod_gets_another_try_after_five_minutes() -> None:
    world = World(node("n", "4"))
    world.schedule("p", "8")
    world.advance(299)
    assert len(world.scheduler.attempts("default", "p")) == 1
    world.advance(60)
    assert len(world.scheduler.attempts("default", "p")) == 2


def test_waiting_for_leftovers_keeps_no_client_waiting() -> None:
    world = World(node("n", "4"))
    world.schedule("p", "8")
    assert world.cluster.clock.next_due(periodic=False) is None


def test_without_nodes_a_pod_is_tried_again_and_again() -> None:
    world = World()
    world.schedule("p")
    world.advance(30)
    assert len(world.scheduler.attempts("default", "p")) > 3
    world.add_node(node("n"))
    world.advance(12)
    assert world.node_of("p") == "n"


def test_a_scheduled_pod_is_told_of() -> None:
    world = World(node("n"))
    world.schedule("p")
    (event,) = world.events("Scheduled")
    assert event["message"] == "Successfully assigned default/p to n"
    assert event["type"] == "Normal"
    assert event["action"] == "Binding"
    assert event["reportingComponent"] == "default-scheduler"
    assert event["reportingInstance"] == "default-scheduler-control-plane"
    assert event["eventTime"] == "2026-01-01T09:00:00.000000Z"
    assert event.get("source") in ({}, None)
    assert not event.get("firstTimestamp")
    assert world.condition("p")["status"] == "True"


def test_a_failure_is_told_of_and_repeated_failures_become_a_series() -> None:
    world = World()
    world.schedule("p")
    world.advance(60)
    told = world.events("FailedScheduling")
    assert {event["message"] for event in told} == {"no nodes available to schedule pods"}
    assert {event["action"] for event in told} == {"Scheduling"}
    assert {event["type"] for event in told} == {"Warning"}
    assert len(told) == 2
    (series,) = [event["series"] for event in told if event.get("series")]
    assert series["count"] == 2


def test_a_series_is_brought_up_to_date_when_it_rests() -> None:
    world = World()
    world.schedule("p")
    world.advance(60)
    tries = len(world.scheduler.attempts("default", "p"))
    world.delete("p")
    world.advance(800)
    (series,) = [event["series"] for event in world.events("FailedScheduling") if event.get("series")]
    assert series["count"] == tries - 1


def test_a_condition_is_written_only_when_it_changes() -> None:
    world = World(node("n", "4"))
    world.schedule("p", "8")
    before = world.pod("p")
    world.add_node(node("m", "4"))
    world.advance(400)
    assert "0/2 nodes" in world.message("p")
    assert world.condition("p")["lastTransitionTime"] == before["status"]["conditions"][0]["lastTransitionTime"]
    version = world.pod("p")["metadata"]["resourceVersion"]
    world.advance(400)
    assert world.pod("p")["metadata"]["resourceVersion"] == version


def test_a_stopped_scheduler_schedules_nothing_and_a_new_one_goes_on() -> None:
    world = World(node("a", "4"), node("b", "4"))
    first = world.schedule("first", "3")
    world.cluster._supervisor._running.pop(WHO)
    world.create(PODS, pod("second", "3"))
    assert world.node_of("second") == ""
    world.start()
    assert {first, world.node_of("second")} == {"a", "b"}
    assert len(world.admin.list(EVENTS)[0]) == 2


def test_a_condition_that_is_told_anew_keeps_all_its_fields() -> None:
    world = World(node("n", cpu="1"))
    world.patch(NODES, "n", {"spec": {"unschedulable": True}})
    world.schedule("big", cpu="3")
    first = world.condition("big")
    world.patch(NODES, "n", {"spec": {"unschedulable": None}})
    world.settle()
    second = world.condition("big")
    assert first["message"] != second["message"]
    assert first.keys() == second.keys() and second["lastProbeTime"] is None
