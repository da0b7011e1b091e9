"""Worker processes for work that may kill or hang the process it is done in.

Workers are forked from this process, so that they begin with everything that is warm in it; where there is no fork they
are started afresh.  Each does one item at a time.  One that dies, takes too long or takes too much memory costs that
item and nothing else, and leaves nothing behind: its temporary files lie in a folder that is removed with it, or by the
next run if nobody is left to do so.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import ClassVar, Final, Generic

from autograder.clusters import scratch
from autograder.grading.executors import Done, Item, Lost
from autograder.grading.footprint import MEGABYTE, limit_growth, resident

#: Seconds after which a worker looks whether the process that started it is still there.
_HEARTBEAT: Final = 2
#: Seconds that a worker has to come to its end when a run is broken off.
_GRACE: Final = 15
#: Bytes that a worker may take, beyond which it is ended, and by which it may grow before another takes its place.
MEMORY: Final = 768 * MEGABYTE
GROWTH: Final = 100 * MEGABYTE
#: Seconds between two looks at the memory that workers take.
_LOOK: Final = 0.5


@dataclass(frozen=True, slots=True)
class Pool:
    """So many workers on this machine; an ``Executor``."""

    workers: int
    memory: int = MEMORY
    is_here: ClassVar[bool] = True

    def __str__(self) -> str:
        return "1 worker" if self.workers == 1 else f"{self.workers} workers"

    def each(
        self,
        work: Callable[[Item], Done],
        items: Sequence[Item],
        *,
        seconds: Callable[[Item], float],
        is_spent: Callable[[Done], bool] = lambda done: False,
        meanwhile: Callable[[], object] | None = None,
    ) -> Iterator[tuple[int, Done | Lost]]:
        """Do the work for every item, see ``Executor``."""
        return each(
            work, items, workers=self.workers, seconds=seconds, is_spent=is_spent, meanwhile=meanwhile,
            memory=self.memory,
        )  # fmt: skip


def each(
    work: Callable[[Item], Done],
    items: Sequence[Item],
    *,
    workers: int,
    seconds: Callable[[Item], float],
    is_spent: Callable[[Done], bool] = lambda done: False,
    meanwhile: Callable[[], object] | None = None,
    memory: int = MEMORY,
) -> Iterator[tuple[int, Done | Lost]]:
    """Do the work for every item in so many processes, see ``Executor``; ``memory`` is the limit of each, in bytes."""
    crew = _Crew(work, items, seconds, is_spent, meanwhile, memory)
    try:
        yield from crew.run(min(workers, len(items)))
    finally:
        crew.dismiss()


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    folder: Path
    index: int = 0
    until: float = 0


class _Crew(Generic[Item, Done]):
    """The workers of one run, and the items that still wait."""

    def __init__(
        self,
        work: Callable[[Item], Done],
        items: Sequence[Item],
        seconds: Callable[[Item], float],
        is_spent: Callable[[Done], bool],
        meanwhile: Callable[[], object] | None,
        memory: int,
    ) -> None:
        self._work, self._items, self._seconds, self._is_spent = work, items, seconds, is_spent
        self._memory = memory
        self._waiting = deque(range(len(items)))
        self._workers: list[_Worker] = []
        scratch.clean()
        self._scratch = scratch.Scratch()
        self._aside = threading.Thread(target=meanwhile, daemon=True) if meanwhile else None
        forks = "fork" in multiprocessing.get_all_start_methods()
        self._context = multiprocessing.get_context("fork" if forks else "spawn")

    def run(self, count: int) -> Iterator[tuple[int, Done | Lost]]:
        for _ in range(count):
            self._hire()
        if self._aside:
            self._aside.start()
        while self._workers:
            left = min(worker.until for worker in self._workers) - time.monotonic()
            limit = min(_LOOK, max(0.0, left))
            ready = wait([worker.pipe for worker in self._workers], limit)
            for worker in list(self._workers):
                if worker.pipe in ready:
                    yield worker.index, self._take(worker)
                elif worker.until <= time.monotonic():
                    limit = self._seconds(self._items[worker.index])
                    message = f"judging it took longer than {limit:g} seconds"
                    yield worker.index, self._give_up(worker, Lost(message, timed_out=True))
                elif resident(worker.process.pid) > self._memory:
                    message = f"judging it took more than {self._memory // MEGABYTE} MB of memory"
                    yield worker.index, self._give_up(worker, Lost(message))

    def dismiss(self) -> None:
        """End every worker, whatever it does; those that can take away what they have made elsewhere."""
        for worker in self._workers:
            worker.process.terminate()
        end = time.monotonic() + _GRACE
        for worker in list(self._workers):
            worker.process.join(max(0.0, end - time.monotonic()))
            self._fire(worker)
        self._scratch.remove()
        if self._aside and self._aside.ident:
            self._aside.join()

    def _hire(self) -> None:
        """Start a worker with the next item, if there is one."""
        if not self._waiting:
            return
        if self._aside and self._aside.ident:
            self._aside.join()  # a process with two threads must not be forked
        ours, theirs = self._context.Pipe()
        folder = Path(tempfile.mkdtemp(dir=self._scratch.path))
        given = (self._work, theirs, folder, os.getpid(), self._memory)
        process = self._context.Process(target=_serve, args=given, daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        worker = _Worker(process, ours, folder)
        self._workers.append(worker)
        self._send(worker)

    def _send(self, worker: _Worker) -> None:
        worker.index = self._waiting.popleft()
        item = self._items[worker.index]
        worker.until = time.monotonic() + self._seconds(item)
        with contextlib.suppress(OSError):  # it has died; taking its answer finds that out
            worker.pipe.send(item)

    def _take(self, worker: _Worker) -> Done | Lost:
        """The answer of a worker, which then gets the next item."""
        try:
            done: Done | Lost
            done, is_heavy = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(1)
            code = worker.process.exitcode
            self._fire(worker)
            self._hire()
            return Lost(f"the process that judged it ended with code {code}")
        is_spent = is_heavy or (not isinstance(done, Lost) and self._is_spent(done))
        if self._waiting and not is_spent:
            self._send(worker)
        else:
            self._fire(worker)
            self._hire()
        return done

    def _give_up(self, worker: _Worker, lost: Lost) -> Lost:
        self._fire(worker)
        self._hire()
        return lost

    def _fire(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.kill()
        worker.process.join()
        shutil.rmtree(worker.folder, ignore_errors=True)


def _serve(work: Callable[[Item], Done], pipe: Connection, folder: Path, parent: int, memory: int) -> None:
    """The life of a worker: an item comes, its answer goes, until nobody is there any more."""
    tempfile.tempdir = str(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a run that is interrupted ends its workers itself
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if os.name == "posix":
        threading.Thread(target=_leave_with, args=(parent,), name="parent", daemon=True).start()
    gc.freeze()  # what was there before is shared with the others, as long as nobody touches it
    limit_growth(memory)
    begin = resident()
    try:
        with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
            while True:
                item = pipe.recv()
                try:
                    done: Done | Lost = work(item)
                except Exception as error:
                    done = Lost(f"{type(error).__name__}: {error}")
                pipe.send((done, resident() - begin > GROWTH))
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # whoever would do it was killed


def _leave_with(parent: int) -> None:
    """Interrupt this worker once the process that started it is gone, so that it takes away what it has made."""
    while os.getppid() == parent:
        time.sleep(_HEARTBEAT)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
