"""A watch with ``timeoutSeconds`` ends by itself, after that much virtual time."""

from __future__ import annotations

from typing import Any

from asking import DEFAULT, World

from autograder.controlplane.apimachinery.wire import ADMIN, Request, WatchStream

MAPS = f"{DEFAULT}/configmaps"


def watch(world: World, **headers: str) -> WatchStream:
    query: Any = {"watch": ["1"], "timeoutSeconds": ["5"], "resourceVersion": ["1"]}
    response = world.api.handle(Request("GET", MAPS, query, headers, user=ADMIN))
    assert response.stream is not None
    return response.stream


def test_it_tells_what_has_happened_until_its_time_is_over_and_no_more() -> None:
    world = World()
    stream = watch(world)
    world.create(MAPS, {"metadata": {"name": "early"}})
    world.advance(5)
    assert stream.waiting() and not stream.ended
    assert [event.object["metadata"]["name"] for event in stream.poll()] == ["early"]
    assert stream.ended and not stream.waiting()
    world.create(MAPS, {"metadata": {"name": "late"}})
    assert stream.poll() == []


def test_before_that_it_goes_on() -> None:
    world = World()
    stream = watch(world, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    world.advance(4)
    assert stream.poll() == [] and not stream.ended
    assert not stream.waiting()
