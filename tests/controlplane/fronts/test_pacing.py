"""Who makes virtual time pass: the wall clock, and clients that wait."""

from __future__ import annotations

import asyncio

import pytest
from fake_cluster import FakeCluster, named

from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.clock import SECOND
from autograder.controlplane.fronts.pacing import ASKED, PATIENCE, REACTION, Mode, Pacing, essence

POD = Request("GET", "/api/v1/namespaces/default/pods/p")


class Wall:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def pacing(cluster: FakeCluster, wall: Wall, mode: Mode = "wall") -> Pacing:
    return Pacing(cluster, mode, lambda: None, wall)


def after(cluster: FakeCluster, seconds: float, key: str = "timer", *, periodic: bool = False) -> int:
    due = cluster.clock.now + round(seconds * SECOND)
    cluster.clock.set("test", key, due, periodic=periodic)
    return due


def test_virtual_time_passes_as_the_wall_clock_does(cluster: FakeCluster, wall: Wall) -> None:
    start = cluster.clock.now
    paced = pacing(cluster, wall)
    wall.now += 12.5
    paced.catch_up()
    assert cluster.clock.now == start + round(12.5 * SECOND)


def test_in_manual_mode_the_wall_clock_moves_nothing(cluster: FakeCluster, wall: Wall) -> None:
    start = cluster.clock.now
    paced = pacing(cluster, wall, "manual")
    wall.now += 3600
    paced.catch_up()
    assert cluster.clock.now == start


def test_asking_again_and_again_makes_time_jump(cluster: FakeCluster, wall: Wall) -> None:
    due = after(cluster, 300)
    paced = pacing(cluster, wall)
    pod = lambda _: Response(200, named("late" if cluster.fired else "early"))  # noqa: E731
    names = [paced.answer(POD, 1, pod).body["metadata"]["name"] for _ in range(ASKED)]
    assert names == ["early"] * (ASKED - 1) + ["late"]
    assert cluster.clock.now == due


def test_one_question_does_not_move_time_through_everything(cluster: FakeCluster, wall: Wall) -> None:
    for seconds in (300, 300.5, 301.5, 900):
        after(cluster, seconds, str(seconds))
    paced = pacing(cluster, wall)
    for _ in range(ASKED):
        paced.answer(POD, 1, cluster.handle)
    assert cluster.fired == ["300", "300.5"]
    paced.answer(POD, 1, cluster.handle)
    assert cluster.fired == ["300", "300.5", "301.5"]


def test_questions_far_apart_are_not_a_client_that_waits(cluster: FakeCluster, wall: Wall) -> None:
    after(cluster, 300)
    paced = pacing(cluster, wall)
    for _ in range(10):
        paced.answer(POD, 1, cluster.handle)
        wall.now += 3
    assert cluster.fired == []


def test_different_questions_are_not_a_client_that_waits(cluster: FakeCluster, wall: Wall) -> None:
    after(cluster, 300)
    paced = pacing(cluster, wall)
    for number in range(10):
        paced.answer(Request("GET", f"/api/v1/nodes/{number}"), 1, cluster.handle)
    assert cluster.fired == []


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request("GET", "/apis"), id="discovery"),
        pytest.param(Request("GET", "/openapi/v3"), id="schemas"),
        pytest.param(Request("GET", POD.path, headers={"kubectl-command": "kubectl apply"}), id="apply"),
        pytest.param(Request("GET", POD.path, headers={"kubectl-command": "kubectl describe"}), id="describe"),
    ],
)
def test_what_a_command_asks_in_passing_does_not_count(cluster: FakeCluster, wall: Wall, request_: Request) -> None:
    after(cluster, 300)
    paced = pacing(cluster, wall)
    for _ in range(10):
        paced.answer(request_, 1, cluster.handle)
    assert cluster.fired == []


def test_a_client_that_acts_in_between_does_not_wait(cluster: FakeCluster, wall: Wall) -> None:
    after(cluster, 300)
    paced = pacing(cluster, wall)
    for _ in range(10):
        paced.answer(POD, 1, cluster.handle)
        paced.changed()
    assert cluster.fired == []


def test_in_manual_mode_only_one_client_asking_itself_counts(cluster: FakeCluster, wall: Wall) -> None:
    after(cluster, 300)
    paced = pacing(cluster, wall, "manual")
    for command in range(10):
        paced.answer(POD, command, cluster.handle)
    assert cluster.fired == []
    for _ in range(ASKED):
        wall.now += 60
        paced.answer(POD, "drain", cluster.handle)
    assert cluster.fired == ["timer"]


def test_heartbeats_are_not_jumped_to(cluster: FakeCluster, wall: Wall) -> None:
    start = cluster.clock.now
    after(cluster, 10, periodic=True)
    paced = pacing(cluster, wall)
    for _ in range(10):
        paced.answer(POD, 1, cluster.handle)
    assert cluster.clock.now == start


def test_time_does_not_jump_beyond_patience(cluster: FakeCluster, wall: Wall) -> None:
    start = cluster.clock.now
    cluster.clock.set("test", "far", start + PATIENCE + 1)
    paced = pacing(cluster, wall)
    for _ in range(10):
        paced.answer(POD, 1, cluster.handle)
    assert cluster.clock.now == start


def test_a_client_has_time_to_react_before_time_jumps_on(cluster: FakeCluster, wall: Wall) -> None:
    after(cluster, 10, "first")
    paced = pacing(cluster, wall)
    waiter = paced.wait()
    assert not paced._jump_for_waiters()
    wall.now += REACTION["wall"] + 0.01
    assert paced._jump_for_waiters()
    assert cluster.fired == ["first"]
    after(cluster, 10, "second")
    paced.news(waiter)
    assert not paced._jump_for_waiters()


def test_time_stops_jumping_when_nobody_waits(cluster: FakeCluster, wall: Wall) -> None:
    after(cluster, 10)
    paced = pacing(cluster, wall)
    waiter = paced.wait()
    paced.done(waiter)
    wall.now += 1
    assert not paced._jump_for_waiters()


def test_a_timer_set_while_somebody_waits_is_jumped_to(cluster: FakeCluster) -> None:
    async def run() -> None:
        paced = Pacing(cluster, "manual", lambda: None)
        task = asyncio.create_task(paced.run())
        paced.wait()
        await asyncio.sleep(REACTION["manual"] + 0.1)
        after(cluster, 60)
        paced.settle()
        async with asyncio.timeout(120):
            while not cluster.fired:
                await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())


def test_ages_and_the_revision_of_a_list_do_not_make_answers_differ() -> None:
    def table(age: str, revision: str) -> Response:
        rows = [{"cells": ["p", age], "object": {"metadata": {"uid": "u", "resourceVersion": "5"}}}]
        return Response(200, {"kind": "Table", "metadata": {"resourceVersion": revision}, "rows": rows})

    assert essence(table("1s", "10")) == essence(table("2s", "11"))


def test_a_list_without_items_is_an_answer_too() -> None:
    nothing = Response(200, {"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": "10"}, "items": None})
    assert essence(nothing) == essence(Response(200, {"kind": "PodList", "metadata": {}, "items": []}))


def test_an_error_is_an_answer_too() -> None:
    missing = Response(404, {"kind": "Status", "message": "not found"})
    assert essence(missing) == essence(missing) != essence(Response(200, named("p")))
