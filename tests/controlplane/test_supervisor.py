"""What keeps a component from running: somebody who has stopped it, or that no container runs its program."""

from __future__ import annotations

from collections.abc import Hashable
from types import SimpleNamespace
from typing import Any, Self

import pytest

from autograder.controlplane.clock import Clock
from autograder.controlplane.component import Environment
from autograder.controlplane.supervisor import Supervisor


class Part:
    """A component that does nothing, and knows the cluster that it is of."""

    name = "part"

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def sync(self) -> bool:
        return False

    def fire(self, key: Hashable) -> None:
        pass

    def fork(self, environment: Environment) -> Self:
        return type(self)(environment)


class World:
    """Two components, a switch, and machines on which containers run their programs."""

    def __init__(self, held: tuple[str, ...] = ()) -> None:
        self.programs = {"first", "second", "switch"}
        self.machines: Any = SimpleNamespace(
            programs_changed={}, silent=frozenset(), runs_program=lambda name: name in self.programs
        )
        self.clock = Clock()
        self.switched: list[bool] = []
        self.environment = Environment(lambda request: pytest.fail("nobody asks"), self.clock, 0, self.machines)
        factories = {"first": Part, "second": Part, "coredns": Part}
        self.supervisor = Supervisor(self.environment, factories, {"switch": self.switched.append}, held)
        self.supervisor.start_all()

    def end(self, *programs: str) -> None:
        self.programs.difference_update(programs)
        self.machines.programs_changed.update(dict.fromkeys(programs))
        assert self.supervisor.follow_programs()

    def run(self, *programs: str) -> None:
        self.programs.update(programs)
        self.machines.programs_changed.update(dict.fromkeys(programs))
        assert self.supervisor.follow_programs()


@pytest.fixture
def world() -> World:
    return World()


def test_all_run_in_their_order_but_those_that_are_held() -> None:
    assert World().supervisor.names() == ("first", "second", "coredns")
    assert World(held=("first",)).supervisor.names() == ("second", "coredns")


def test_what_is_started_again_is_new_and_has_its_turn_as_before(world: World) -> None:
    before = world.supervisor.component("first")
    world.clock.set("first", "timer", 5)
    world.supervisor.stop("first")
    assert world.supervisor.component("first") is None
    assert world.clock.next_due() is None
    world.supervisor.start("first")
    assert world.supervisor.component("first") not in (None, before)
    assert world.supervisor.names() == ("first", "second", "coredns")


def test_what_runs_already_is_not_started_anew(world: World) -> None:
    before = world.supervisor.component("first")
    world.supervisor.start("first")
    assert world.supervisor.component("first") is before


def test_a_component_stops_and_starts_with_its_containers(world: World) -> None:
    world.end("first")
    assert world.supervisor.names() == ("second", "coredns")
    world.run("first")
    assert world.supervisor.names() == ("first", "second", "coredns")
    assert not world.supervisor.follow_programs()


def test_containers_do_not_start_what_somebody_has_stopped(world: World) -> None:
    world.supervisor.stop("first")
    world.end("first")
    world.run("first")
    assert world.supervisor.component("first") is None
    world.supervisor.start("first")
    assert world.supervisor.component("first") is not None


def test_containers_that_run_do_not_start_what_was_never_down(world: World) -> None:
    world.supervisor.stop("first")
    world.run("first")
    assert world.supervisor.component("first") is None


def test_a_switch_follows_too_and_other_programs_do_not_matter(world: World) -> None:
    world.end("switch")
    world.run("switch")
    world.supervisor.stop("switch")
    world.supervisor.start("switch")
    assert world.switched == [False, True, False, True]
    world.machines.programs_changed["etcd"] = None
    assert not world.supervisor.follow_programs()


def test_the_name_server_falls_silent_while_it_is_stopped(world: World) -> None:
    world.supervisor.stop("coredns")
    assert world.machines.silent == {"coredns"}
    world.supervisor.start("coredns")
    assert not world.machines.silent


def test_a_fork_goes_on_from_the_same_state_and_apart(world: World) -> None:
    world.supervisor.stop("first")
    world.end("second")
    other = World()
    twin = world.supervisor.fork(other.environment)
    assert twin.names() == ("coredns",)
    component = twin.component("coredns")
    assert isinstance(component, Part)
    assert component.environment is other.environment
    twin.start("first")
    other.machines.programs_changed["second"] = None
    assert twin.follow_programs()
    assert twin.names() == ("first", "second", "coredns")
    assert world.supervisor.names() == ("coredns",)


@pytest.mark.parametrize("act", ["stop", "start"])
def test_unknown_names_are_told_with_those_that_there_are(world: World, act: str) -> None:
    with pytest.raises(ValueError, match="no component is called third; there are first, second, coredns"):
        getattr(world.supervisor, act)("third")
    with pytest.raises(ValueError, match="no component is called fourth, third"):
        World(held=("third", "fourth"))
