"""Ages of events as ``kubectl describe`` computes them are those of the cluster's clock."""

from __future__ import annotations

from datetime import datetime

import pytest

from autograder.controlplane.apimachinery.wire import Request
from autograder.controlplane.clock import EPOCH, SECOND
from autograder.controlplane.fronts import aging

DESCRIBE = Request("GET", "/api/v1/events", headers={"kubectl-command": "kubectl describe"})
#: Some moment long after the epoch, with a fraction of a second.
WALL = 1_900_000_000.3


def age_for_client(text: str, wall: float) -> int:
    """The whole seconds that have passed since a timestamp."""
    return int(wall - datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize("virtual", [0, 0.9, 1, 59.2, 3600])
@pytest.mark.parametrize("delay", [0.0, 0.5])
def test_an_event_is_as_old_for_the_client_as_for_the_cluster(virtual: float, delay: float) -> None:
    event = {"kind": "Event", "firstTimestamp": "2026-01-01T09:00:00Z", "lastTimestamp": "2026-01-01T09:00:00Z"}
    moved = aging.moved(event, now=EPOCH + round(virtual * SECOND), wall=WALL)
    assert age_for_client(moved["lastTimestamp"], WALL + delay) == int(virtual)


def test_every_time_of_an_event_is_moved_and_the_event_itself_left_alone() -> None:
    event = {
        "kind": "Event",
        "metadata": {"creationTimestamp": "2026-01-01T09:00:00Z"},
        "eventTime": "2026-01-01T09:00:01.500000Z",
        "firstTimestamp": None,
        "series": {"count": 2, "lastObservedTime": "2026-01-01T09:00:02.000000Z"},
    }
    moved = aging.moved(event, now=EPOCH + 10 * SECOND, wall=WALL)
    assert age_for_client(moved["eventTime"], WALL) == 8
    assert age_for_client(moved["series"]["lastObservedTime"], WALL) == 8
    assert moved["metadata"] == event["metadata"] and moved["firstTimestamp"] is None
    assert event["series"] == {"count": 2, "lastObservedTime": "2026-01-01T09:00:02.000000Z"}


def test_the_pods_that_describe_node_lists_are_as_old_as_the_cluster_says() -> None:
    pod = {"metadata": {"name": "web", "creationTimestamp": "2026-01-01T09:00:00Z"}, "status": {"startTime": "x"}}
    moved = aging.moved({"kind": "PodList", "items": [pod]}, now=EPOCH + 10 * SECOND, wall=WALL)
    (shown,) = moved["items"]
    assert age_for_client(shown["metadata"]["creationTimestamp"], WALL) == 10
    assert shown["status"] == pod["status"] and pod["metadata"]["creationTimestamp"] == "2026-01-01T09:00:00Z"


@pytest.mark.parametrize("kind", ["Pod", "PersistentVolumeClaim", "PersistentVolume"])
@pytest.mark.parametrize(("second", "lasts"), [(10, 0), (15, -5), (3, 7)])
def test_what_is_going_has_been_going_for_as_long_as_the_cluster_says(kind: str, second: int, lasts: int) -> None:
    going = {"kind": kind, "metadata": {"name": "x", "deletionTimestamp": f"2026-01-01T09:00:{second:02}Z"}}
    assert aging.applies(DESCRIBE, going)
    moved = aging.moved(going, now=EPOCH + 10 * SECOND, wall=WALL)
    assert age_for_client(moved["metadata"]["deletionTimestamp"], int(WALL)) == lasts
    assert not aging.applies(DESCRIBE, {"kind": kind, "metadata": {"name": "x"}})


def test_only_commands_that_show_such_ages_are_answered_so() -> None:
    events = {"kind": "EventList", "items": []}
    assert aging.applies(DESCRIBE, events)
    assert not aging.applies(DESCRIBE, {"kind": "ConfigMapList", "items": []})
    assert not aging.applies(Request("GET", "/api/v1/events", headers={"kubectl-command": "kubectl get"}), events)


def test_an_answer_waits_for_the_next_second_when_this_one_is_nearly_over() -> None:
    assert aging.pause(100.5) == 0
    assert aging.pause(100.9) == pytest.approx(0.1)


def test_a_restart_is_written_down_at_the_time_of_the_cluster() -> None:
    annotation = b'"kubectl.kubernetes.io/restartedAt":"2031-05-06T07:08:09Z"'
    patch = b'{"spec":{"template":{"metadata":{"annotations":{' + annotation + b"}}}}}"
    request = Request("PATCH", "/", headers={"kubectl-command": "kubectl rollout restart"}, body=patch)
    assert aging.restarts(request)
    assert aging.restarted(patch, now=EPOCH + 5 * SECOND) == patch.replace(
        b"2031-05-06T07:08:09Z", b"2026-01-01T09:00:05Z"
    )


def test_what_others_write_is_left_as_it_is() -> None:
    assert not aging.restarts(Request("PATCH", "/", headers={"kubectl-command": "kubectl patch"}, body=b"{}"))
    assert aging.restarted(b'{"spec":{"paused":true}}', now=EPOCH) == b'{"spec":{"paused":true}}'
