"""The cluster's clock behind a socket: who makes virtual time pass.

* The wall clock: virtual time runs at least as fast as it (not in ``manual`` mode).
* A client that waits: time jumps to the next timer that is no heartbeat while somebody has a watch open for one
  object, or asks the same thing again and again and gets the same answer.

``kubectl get --watch`` looks on and does not wait.  Whoever waits for what never happens is given a quarter of an hour
of virtual time, and then the rest of his own patience at the speed of the wall clock.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.clock import SECOND, Clock

log = logging.getLogger(__name__)

Mode = Literal["wall", "manual"]

#: How far time jumps for one who waits, since the last news for him.
PATIENCE: Final = 15 * 60 * SECOND
#: How long, in wall seconds, a client is left to react to news before time jumps on.
REACTION: Final[dict[Mode, float]] = {"wall": 0.1, "manual": 0.25}
#: From this many equal answers to the same question on, each within seconds of the one before, a client waits.
ASKED: Final = 3
ASKED_WITHIN: Final = 2.0
#: One question moves time to the next timer, and through those that follow within this time of that.
ASKED_SPAN: Final = SECOND
_REMEMBERED: Final = 512
#: Questions about objects; documents such as discovery are asked for by every command.
_RESOURCE: Final = re.compile(r"/(api/v1|apis/[^/]+/[^/]+)/.+")
#: Commands of kubectl that ask in order to see or to wait; others ask in order to do something.
_ASKING: Final = ("kubectl get", "kubectl delete", "kubectl drain", "kubectl rollout", "kubectl wait")
#: The longest sleep between two looks at the wall clock, in seconds.
_TICK: Final = 1.0


class Cluster(Protocol):
    """What moves time in a cluster."""

    clock: Clock

    def settle(self) -> object:
        """Do all that is due now."""

    def advance(self, seconds: float) -> object:
        """Move the clock, through all timers that are due on the way."""

    def run_to(self, due: int) -> object:
        """Move the clock to a time (microseconds), through all timers that are due on the way."""


@dataclass(slots=True, eq=False)
class Waiter:
    """A client that waits, and when it last had news: in virtual microseconds and in wall seconds."""

    virtual: int
    wall: float


@dataclass(slots=True)
class _Question:
    answer: Hashable
    times: int
    wall: float
    virtual: int


class Pacing:
    """Moves the time of one cluster; ``on_progress`` is called whenever something may have happened."""

    def __init__(
        self,
        cluster: Cluster,
        mode: Mode,
        on_progress: Callable[[], None],
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mode = mode
        self._cluster = cluster
        self._on_progress = on_progress
        self._wall = wall
        self._seen = wall()
        self._unsettled = True
        self._waiters: set[Waiter] = set()
        self._questions: OrderedDict[Hashable, _Question] = OrderedDict()
        self._woken = asyncio.Event()

    def catch_up(self) -> None:
        """Finish what earlier requests began, and let time pass as the wall clock has."""
        wall = self._wall()
        passed, self._seen = wall - self._seen, wall
        if self.mode == "wall" and passed > 0:
            self._do(lambda: self._cluster.advance(passed))
        elif not self._unsettled:
            return
        self.settle()

    def changed(self) -> None:
        """A request has changed something: the cluster is to be settled before the next answer.

        Whoever acts does not wait: what was asked before counts no more.
        """
        self._unsettled = True
        self._questions.clear()

    def settle(self) -> None:
        """Let the components do all that is due now."""
        self._unsettled = False
        self._do(self._cluster.settle)
        self._on_progress()
        self._woken.set()

    def _do(self, move: Callable[[], object]) -> None:
        """Let the cluster do something. A bug in a component is logged, and what there is goes on being served."""
        try:
            move()
        except Exception:
            log.exception("a component of the cluster has failed")

    def wait(self) -> Waiter:
        """Somebody begins to wait; to be given back to ``done``."""
        waiter = Waiter(self._cluster.clock.now, self._wall())
        self._waiters.add(waiter)
        self._woken.set()
        return waiter

    def news(self, waiter: Waiter) -> None:
        """Somebody who waits is told something, and has time to react."""
        waiter.virtual, waiter.wall = self._cluster.clock.now, self._wall()

    def done(self, waiter: Waiter) -> None:
        """Somebody waits no more."""
        self._waiters.discard(waiter)

    def answer(self, request: Request, client: Hashable, handle: Callable[[Request], Response]) -> Response:
        """The answer to a reading request; time jumps before it if this is a client that waits by asking.

        ``client`` tells clients apart in ``manual`` mode, where two commands of a student must not look like one that
        waits, however fast they follow each other.
        """
        response = handle(request)
        if not asks(request):
            return response
        key = (request.path, repr(request.query), request.headers.get("accept", ""))
        question = self._asked((*key, client) if self.mode == "manual" else key, essence(response))
        if question.times < ASKED:
            return response
        patience, reached = question.virtual + PATIENCE, 0
        while self._jump(patience):
            reached = reached or self._cluster.clock.now
            patience = min(patience, reached + ASKED_SPAN)
            response = handle(request)
            if (seen := essence(response)) != question.answer:
                question.answer, question.times, question.virtual = seen, 1, self._cluster.clock.now
                break
        return response

    async def run(self) -> None:
        """Make time pass until cancelled."""
        while True:
            self.catch_up()
            if self._jump_for_waiters():
                await asyncio.sleep(0)
                continue
            self._woken.clear()
            try:
                async with asyncio.timeout(self._until_next()):
                    await self._woken.wait()
            except TimeoutError:
                continue

    def _asked(self, key: Hashable, answer: Hashable) -> _Question:
        """Note a question and its answer."""
        wall, virtual = self._wall(), self._cluster.clock.now
        question = self._questions.get(key)
        recent = question is not None and (self.mode == "manual" or wall - question.wall <= ASKED_WITHIN)
        if question is None or not recent or question.answer != answer:
            question = self._questions[key] = _Question(answer, 0, wall, virtual)
        question.times += 1
        question.wall = wall
        self._questions.move_to_end(key)
        if len(self._questions) > _REMEMBERED:
            self._questions.popitem(last=False)
        return question

    def _jump_for_waiters(self) -> bool:
        """Jump for those who have had time to react; False if there is nobody or nothing to jump to."""
        if not self._waiters:
            return False
        ready = self._wall() - REACTION[self.mode]
        if any(waiter.wall > ready for waiter in self._waiters):
            return False
        return self._jump(max(waiter.virtual for waiter in self._waiters) + PATIENCE)

    def _jump(self, latest: int) -> bool:
        """Go to the next timer that is no heartbeat, unless that goes off after ``latest`` or time stands still."""
        due = self._cluster.clock.next_due(periodic=False)
        if due is None or due > latest:
            return False
        self._do(lambda: self._cluster.run_to(due))
        self.settle()
        return self._cluster.clock.now >= due

    def _until_next(self) -> float | None:
        """How many seconds to sleep; None is until somebody comes."""
        now = self._wall()
        ends = [waiter.wall + REACTION[self.mode] - now for waiter in self._waiters]
        soon = [seconds for seconds in ends if seconds > 0]
        if self.mode == "wall":
            due = self._cluster.clock.next_due()
            idle = _TICK if due is None else (due - self._cluster.clock.now) / SECOND
            soon.append(min(max(idle, 0.001), _TICK))
        return min(soon, default=None)


def asks(request: Request) -> bool:
    """Whether a reading request may be one of a client that waits."""
    command = request.headers.get("kubectl-command", "")
    return bool(_RESOURCE.fullmatch(request.path)) and (not command or command.startswith(_ASKING))


def essence(response: Response) -> Hashable:
    """What of an answer tells whether anything has changed: revisions of objects, but neither ages nor the list's."""
    body: Any = response.body
    if not isinstance(body, dict) or response.code != 200:
        return response.code, str(body.get("message") if isinstance(body, dict) else body)
    if "items" in body:
        return tuple(_revision(item) for item in body["items"] or ())  # null where only metadata was asked for
    if "rows" in body:
        return tuple(_revision(row.get("object")) or tuple(map(str, row["cells"])) for row in body["rows"])
    return _revision(body)


def _revision(obj: Any) -> tuple[str, str] | None:
    if not obj:
        return None
    metadata = obj.get("metadata") or {}
    return metadata.get("uid", ""), metadata.get("resourceVersion", "")
