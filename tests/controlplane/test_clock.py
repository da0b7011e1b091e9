"""Virtual time: timers go off in order, once, and a fork has its own."""

from __future__ import annotations

from autograder.controlplane.clock import SECOND, Clock


def fired(clock: Clock) -> list[object]:
    keys = []
    while timer := clock.pop_due():
        keys.append(timer.key)
    return keys


def test_timers_go_off_when_they_are_due_in_the_order_of_their_setting() -> None:
    clock = Clock()
    clock.set("kubelet", "b", clock.now + 2 * SECOND)
    clock.set("kubelet", "a", clock.now + SECOND)
    clock.set("scheduler", "c", clock.now + SECOND)
    assert fired(clock) == []
    clock.now += SECOND
    assert fired(clock) == ["a", "c"]
    clock.now += SECOND
    assert fired(clock) == ["b"]


def test_setting_a_timer_anew_replaces_it() -> None:
    clock = Clock()
    clock.set("kubelet", "a", clock.now + SECOND)
    clock.set("kubelet", "a", clock.now + 5 * SECOND)
    clock.now += SECOND
    assert fired(clock) == []
    assert clock.due("kubelet", "a") == clock.now + 4 * SECOND


def test_heartbeats_do_not_count_for_a_waiting_client() -> None:
    clock = Clock()
    clock.set("kubelet", "lease", clock.now + SECOND, periodic=True)
    clock.set("kubelet", "probe", clock.now + 3 * SECOND)
    assert clock.next_due() == clock.now + SECOND
    assert clock.next_due(periodic=False) == clock.now + 3 * SECOND


def test_a_stopped_component_has_no_timers() -> None:
    clock = Clock()
    clock.set("kubelet", "a", clock.now + SECOND)
    clock.set("scheduler", "b", clock.now + SECOND)
    clock.cancel_all("kubelet")
    clock.now += SECOND
    assert fired(clock) == ["b"]


def test_a_fork_goes_on_apart() -> None:
    clock = Clock()
    clock.set("kubelet", "a", clock.now + SECOND)
    fork = clock.fork()
    fork.cancel("kubelet", "a")
    clock.now += SECOND
    fork.now += SECOND
    assert (fired(clock), fired(fork)) == (["a"], [])
