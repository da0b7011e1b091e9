"""What every controller is: a work queue of keys, and a ``reconcile`` that brings one key nearer to what is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.wire import User
from autograder.controlplane.client import Client, EventRecorder, InformerFactory, WorkQueue
from autograder.controlplane.client.informer import Delta, Informer
from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.component import Environment

COMPONENT = "kube-controller-manager"

#: What one controller may write in a second of virtual time, its events included.  Real clients are limited too (and
#: to less); here the limit is what lets time go on when an object asks for two billion pods.
WRITES_PER_SECOND: Final = 1000


#: Hears of one change of a collection.
Handler = Callable[[Delta], None]
Subscriptions = dict[Informer, Handler]


@dataclass(frozen=True, slots=True)
class ControllerContext:
    """What the manager gives a controller: its own user's client, the shared informers and the clock."""

    environment: Environment
    informers: InformerFactory
    clock: Clock

    def client(self, controller: str) -> Client:
        """A client that speaks as the controller's own service account."""
        groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
        user = User(f"system:serviceaccount:kube-system:{controller}", groups)
        return Client(self.environment.handle, user, trusted=True, field_manager=COMPONENT)

    def recorder(self, client: Client, component: str) -> EventRecorder:
        """A recorder of events that come from ``component``."""
        return EventRecorder(client, self.clock, component)


class Controller:
    """A controller.  A subclass names itself, says what hears its informers (``subscriptions``) and reconciles keys.

    ``STATE`` names the attributes (of dicts, sets or lists of immutable things) that a fork takes along; everything
    else is made anew by ``__init__``, which must set no timer and write nothing.
    """

    name: ClassVar[str]
    service_account: ClassVar[str]
    event_source: ClassVar[str]
    STATE: ClassVar[tuple[str, ...]] = ()
    #: A key that has failed this often in a row is left alone until something changes (None: never).
    max_retries: ClassVar[int | None] = None

    def __init__(self, context: ControllerContext) -> None:
        self.clock = context.clock
        self.informers = context.informers
        self.client = context.client(self.service_account)
        self.recorder = context.recorder(self.client, self.event_source)
        self.queue: WorkQueue[str] = WorkQueue(context.clock, COMPONENT, self.name)
        self._second, self._writes_before = -1, 0

    def subscriptions(self) -> Subscriptions:
        """The informers that this controller wants to hear, and what hears the deltas of each."""
        raise NotImplementedError(f"{type(self).__name__} says what it watches")

    def reconcile(self, key: str) -> None:
        """Bring one key nearer to what is wanted.  A ``StatusError`` has the key come back later."""
        raise NotImplementedError(f"{type(self).__name__} says what it does")

    def start(self) -> None:
        """Called once when the process starts, after the informers have listed; periodic work is set up here."""

    @property
    def now(self) -> str:
        """The time as the API writes it."""
        return timestamps.time(self.clock.now)

    def fork(self, context: ControllerContext) -> Self:
        """The same controller, in the same state, for a fork of the cluster."""
        twin = type(self)(context)
        twin.queue = self.queue.fork(context.clock)
        twin.recorder.remember(self.recorder)
        twin._second, twin._writes_before = self._second, self._writes_before
        twin.client.writes = self.client.writes
        for attribute in self.STATE:
            setattr(twin, attribute, getattr(self, attribute).copy())
        return twin

    def work(self) -> bool:
        """Reconcile every key that is ready and that the rate limit allows; True if there was one."""
        worked = False
        while self.queue and not self._throttled():
            worked = True
            key = self.queue.pop()
            try:
                self.reconcile(key)
            except StatusError:
                # The next try meets a newer state of the world; the queue spaces the tries out.
                if self.max_retries is None or self.queue.failures(key) < self.max_retries:
                    self.queue.add_rate_limited(key)
                else:
                    self.queue.forget(key)
            else:
                self.queue.forget(key)
        return worked

    def _throttled(self) -> bool:
        """Whether this second's requests are used up; if so, the rest waits for the next second."""
        second = self.clock.now // SECOND
        if second != self._second:
            self._second, self._writes_before = second, self.client.writes
        if self.client.writes - self._writes_before < WRITES_PER_SECOND:
            return False
        self.clock.set(COMPONENT, (self.name, None), (second + 1) * SECOND)
        return True
