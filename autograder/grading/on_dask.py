"""Work on a Dask cluster, through its ``concurrent.futures`` interface: as many machines as there are.

Workers need this package and the course's folder at the same path.  Start them with one thread each
(``dask worker ADDRESS --nthreads 1 --nworkers 8``), since a process judges one submission at a time.

When a worker is lost, Dask gives its tasks to others, and gives up one that was lost with several workers, even if it
only waited there behind another.  So what was given up is tried once more at the end, with nothing beside it.  A result
that comes twice counts once; one that is lost with its worker before it was fetched is made again.  Only so many items
are handed over ahead of their results, so that neither the scheduler nor this process holds those of a whole class.

The futures are Dask's own.  Those of its ``Client.get_executor`` never end when what was lost that way is given up.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic

from autograder.grading.executors import BadExecutor, Done, Item, Lost

if TYPE_CHECKING:
    from distributed import Client, Future

#: Seconds to wait for the scheduler, and for workers when there are none.
PATIENCE: Final = 30.0
#: Seconds between two looks whether there are workers yet.
_LOOK: Final = 2.0
#: Items that are handed over ahead of their results: for each thread of the cluster, and at the least.
AHEAD: Final = 4
FEWEST: Final = 16

_KILLED: Final = Lost("the processes that judged it ended, one after the other")

#: What Dask runs in one process is done one after the other.
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class OnDask:
    """The workers of a Dask cluster; an ``Executor``."""

    address: str
    patience: float = PATIENCE
    is_here: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"the Dask cluster at {self.address}"

    def each(
        self,
        work: Callable[[Item], Done],
        items: Sequence[Item],
        *,
        seconds: Callable[[Item], float],
        is_spent: Callable[[Done], bool] = lambda done: False,
        meanwhile: Callable[[], object] | None = None,
    ) -> Iterator[tuple[int, Done | Lost]]:
        """Do the work for every item, see ``Executor``; raises ``BadExecutor``."""
        with _connected(self.address, self.patience) as client:
            run = _Run(client, work, is_spent, items, seconds, self.patience)
            run.fill()
            if meanwhile:
                meanwhile()
            while run.outstanding:
                yield from run.results()
                run.fill()
                if run.threads.absent() > self.patience:
                    raise BadExecutor(
                        f"{self} has had no worker for {self.patience:g} seconds; start some, and grade again: "
                        "what was judged is not judged twice"
                    )


class _Run(Generic[Item, Done]):
    """The items of one run: those that wait, those that are handed over, and those that are to be tried once more."""

    def __init__(
        self,
        client: Client,
        work: Callable[[Item], Done],
        is_spent: Callable[[Done], bool],
        items: Sequence[Item],
        seconds: Callable[[Item], float],
        patience: float,
    ) -> None:
        from distributed.protocol.pickle import dumps

        self._client, self._items, self._seconds, self._patience = client, items, seconds, patience
        self._given = client.submit(_same, dumps((work, is_spent)), pure=False)  # made again if its holder is lost
        self._waiting = iter(range(len(items)))
        self._ended: SimpleQueue[Future[Any]] = SimpleQueue()
        self._suspects: list[int] = []
        self._tried: set[int] = set()
        self.outstanding: dict[Future[Any], int] = {}
        self.threads = _Threads(client)

    def fill(self) -> None:
        """Hand over as many items as there is room for; a suspect only when there is nothing beside it."""
        room = max(FEWEST, AHEAD * self.threads.count()) - len(self.outstanding)
        for index in itertools.islice(self._waiting, max(0, room)):
            self._hand_over(index)
        if self._suspects and not self.outstanding:
            index = self._suspects.pop()
            self._tried.add(index)
            self._hand_over(index)

    def results(self) -> Iterator[tuple[int, Done | Lost]]:
        """The next result, if one comes within moments."""
        try:
            future = self._ended.get(timeout=_LOOK)
        except Empty:
            return
        done = _outcome(future, self._patience)
        if done is None:
            self._ended.put(future)
            return
        self.threads.are_busy()
        index = self.outstanding.pop(future)
        del future  # with the last one who holds it Dask forgets the result
        if done is _KILLED and index not in self._tried:
            self._suspects.append(index)
        else:
            yield index, done

    def _hand_over(self, index: int) -> None:
        item = self._items[index]
        future = self._client.submit(_do, self._given, item, self._seconds(item), pure=False)
        self.outstanding[future] = index
        future.add_done_callback(self._ended.put)


class _Threads:
    """How many threads a cluster has for work, asked now and then, and for how long it has had none."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._count, self._asked = 0, -_LOOK
        self._seen = time.monotonic()

    def count(self) -> int:
        """The threads of all workers."""
        if time.monotonic() - self._asked >= _LOOK:
            self._count, self._asked = sum(self._client.nthreads().values()), time.monotonic()
        if self._count:
            self.are_busy()
        return self._count

    def are_busy(self) -> None:
        """There is a worker, since a result has come."""
        self._seen = time.monotonic()

    def absent(self) -> float:
        """Seconds since a worker was seen."""
        return time.monotonic() - self._seen


@contextlib.contextmanager
def _connected(address: str, patience: float) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError as error:
        raise BadExecutor(
            "Dask is not installed; install it with: pip install 'kubernetes-autograder[dask]'"
        ) from error
    try:
        client = Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadExecutor(f"there is no Dask scheduler at {address}: {error}") from error
    try:
        yield client
    finally:
        client.close()


def _outcome(future: Future[Any], patience: float) -> Any:
    """What came of a task; an exception of it, or of Dask about it, is a loss.  None if it has to be made again."""
    from distributed.scheduler import KilledWorker

    try:
        return future.result(timeout=patience)
    except KilledWorker:
        return _KILLED
    except CancelledError as error:
        raise BadExecutor("the Dask cluster is gone; start it, and grade again: what was judged is kept") from error
    except Exception as error:
        if future.status in ("pending", "lost") or (future.status == "finished" and isinstance(error, TimeoutError)):
            return None
        return Lost(f"{type(error).__name__}: {error}")


def _same(given: bytes) -> bytes:
    return given


def _do(given: bytes, item: Any, seconds: float) -> Any:
    """What a worker does for an item.  A worker that hangs ends itself, as nobody else would."""
    alarm = threading.Timer(seconds, os._exit, (1,))
    alarm.daemon = True
    with _ONE_AT_A_TIME:
        alarm.start()
        try:
            work, is_spent = _unpacked(given)
            done = work(item)
            if is_spent(done):
                _unpacked.cache_clear()  # what was stopped midway may have left something broken
            return done
        finally:
            alarm.cancel()


@lru_cache(maxsize=1)
def _unpacked(given: bytes) -> tuple[Callable[[Any], Any], Callable[[Any], bool]]:
    """The work, which stays warm from one item to the next."""
    work, is_spent = pickle.loads(given)
    return work, is_spent
