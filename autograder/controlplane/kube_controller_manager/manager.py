"""kube-controller-manager: one process that runs the controllers over shared informers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Self

from autograder.controlplane.client import Informer, InformerFactory
from autograder.controlplane.component import Environment
from autograder.controlplane.kube_controller_manager.controller import (
    COMPONENT,
    Controller,
    ControllerContext,
    Handler,
)

USER = "system:kube-controller-manager"


class ControllerManager:
    """The process.  In each turn it takes in what the watches brought, then lets every controller work."""

    name = COMPONENT

    def __init__(self, environment: Environment, controllers: Sequence[type[Controller]]) -> None:
        self._types = controllers
        self._informers = InformerFactory(environment.client(USER))
        context = ControllerContext(environment, self._informers, environment.clock)
        self._wire([controller(context) for controller in controllers])
        self._started = False

    def fork(self, environment: Environment) -> Self:
        twin = object.__new__(type(self))
        twin._types = self._types
        twin._informers = self._informers.fork(environment.client(USER))
        context = ControllerContext(environment, twin._informers, environment.clock)
        twin._wire([controller.fork(context) for controller in self._controllers])
        twin._started = self._started
        return twin

    def sync(self) -> bool:
        worked = self._hear()
        if not self._started:
            self._started = True
            for controller in self._controllers:
                controller.start()
            worked = True
        for controller in self._controllers:
            if controller.queue:
                worked |= controller.work()
                self._hear()
        return worked

    def fire(self, key: Hashable) -> None:
        """A delayed key of a controller's queue is ready: timers carry ``(controller name, key)``.

        A timer without a key only lets a throttled controller go on.
        """
        assert isinstance(key, tuple)
        controller, item = key
        if item is not None:
            self._by_name[controller].queue.add(item)

    def _hear(self) -> bool:
        heard = False
        if not self._informers.has_news():
            return heard
        for informer, hearers in self._hears.items():
            for delta in informer.sync():
                heard = True
                for hear in hearers:
                    hear(delta)
        self._informers.caught_up()
        return heard

    def _wire(self, controllers: list[Controller]) -> None:
        self._controllers = controllers
        self._by_name = {controller.name: controller for controller in controllers}
        self._hears: dict[Informer, list[Handler]] = {informer: [] for informer in self._informers}
        for controller in controllers:
            for informer, hear in controller.subscriptions().items():
                self._hears[informer].append(hear)
