"""Which components of a cluster run, and why the others do not.

A component is code that gets its turn, and most have a program beside it that containers of Pods run.  It stops when
somebody stops it, and when the last of these containers has ended; each alone keeps it from running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from autograder.controlplane.component import Component, Environment
from autograder.controlplane.containers.routing import DNS_PROGRAM

Factories = Mapping[str, Callable[[Environment], Component]]
Switches = Mapping[str, Callable[[bool], None]]


class Supervisor:
    """The components of one cluster, by name; none runs before ``start_all``.

    ``factories`` tell how each is started, in the order in which they get their turn.  ``switches`` turn on and off
    what is stopped like a component and is none: the API server, etcd.  ``held`` are those that somebody has stopped
    already.  Raises ``ValueError`` for names that are not known.
    """

    def __init__(
        self, environment: Environment, factories: Factories, switches: Switches | None = None, held: Iterable[str] = ()
    ) -> None:
        self._environment = environment
        self._factories = factories
        self._switches = switches or {}
        self._running: dict[str, Component] = {}
        self._held = set(held)
        self._down: set[str] = set()
        unknown = sorted(self._held.difference(factories))
        if unknown:
            raise self._unknown(*unknown)

    def fork(self, environment: Environment, switches: Switches | None = None) -> Supervisor:
        """The same components, in the same state, for a fork of the cluster."""
        twin = Supervisor(environment, self._factories, switches)
        twin._held, twin._down = self._held.copy(), self._down.copy()
        twin._running = {name: component.fork(environment) for name, component in self._running.items()}
        return twin

    def start_all(self) -> None:
        """Start all that nobody holds."""
        for name in self._factories:
            if name not in self._held:
                self._begin(name)

    def names(self) -> tuple[str, ...]:
        """The names of the components that run, in their order."""
        return tuple(self._running)

    def components(self) -> list[tuple[str, Component]]:
        """The components that run, by their names and in their order."""
        return list(self._running.items())

    def component(self, name: str) -> Component | None:
        """A component, or None while it does not run."""
        return self._running.get(name)

    def stop(self, name: str) -> None:
        """Stop a component, as if its process had been frozen: its containers go on to be shown.

        The name server does not answer while it is stopped, so that its Pods become unready.
        """
        self._end(name)
        self._held.add(name)
        if name == DNS_PROGRAM:
            self._environment.machines.silent |= {name}

    def start(self, name: str) -> None:
        """Start a component if it does not run; it begins by listing what there is."""
        self._begin(name)
        self._held.discard(name)
        self._down.discard(name)
        self._environment.machines.silent -= {name}

    def follow_programs(self) -> bool:
        """Stop the components whose containers have ended, start those whose containers run again; whether any.

        That is how a component stops when its manifest is moved out of the folder of its node, or its node goes dark.
        """
        machines = self._environment.machines
        changed = [name for name in machines.programs_changed if name in self._factories or name in self._switches]
        machines.programs_changed.clear()
        for name in changed:
            if not machines.runs_program(name):
                self._down.add(name)
                self._end(name)
            elif name in self._down:
                self._down.discard(name)
                if name not in self._held:
                    self._begin(name)
        return bool(changed)

    def _begin(self, name: str) -> None:
        if name in self._switches:
            self._switches[name](True)
        elif name not in self._factories:
            raise self._unknown(name)
        elif name not in self._running:
            running = {**self._running, name: self._factories[name](self._environment)}
            self._running = {one: running[one] for one in self._factories if one in running}

    def _end(self, name: str) -> None:
        if name in self._switches:
            self._switches[name](False)
        elif name not in self._factories:
            raise self._unknown(name)
        elif name in self._running:
            self._running = {one: component for one, component in self._running.items() if one != name}
            self._environment.clock.cancel_all(name)

    def _unknown(self, *names: str) -> ValueError:
        return ValueError(f"no component is called {', '.join(names)}; there are {', '.join(self._factories)}")
