"""Where work is done: what the pool of this machine and a cluster of many have in common.

Whoever grades a class hands items to an executor and takes results as they come, and does not ask where they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


class BadExecutor(ValueError):
    """No executor is known by this name, or it cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Lost:
    """An item whose work came to no end, and why."""

    message: str
    timed_out: bool = False


class Executor(Protocol):
    """Does the same work for many items; ``is_here`` if on this machine."""

    @property
    def is_here(self) -> bool: ...

    def each(
        self,
        work: Callable[[Item], Done],
        items: Sequence[Item],
        *,
        seconds: Callable[[Item], float],
        is_spent: Callable[[Done], bool] = ...,
        meanwhile: Callable[[], object] | None = None,
    ) -> Iterator[tuple[int, Done | Lost]]:
        """Yield the index and the result of every item, each once, in the order in which they come.

        ``seconds`` is the limit for an item.  A worker whose result ``is_spent`` does no other item, since what it did
        may have left something broken in it.  ``meanwhile`` is run in this process once all workers are at work.
        An item whose work raises, hangs or kills its worker is ``Lost``; the others are done.
        """


def executor_of(spec: str, workers: int) -> Executor:
    """The executor that ``--executor`` names: ``local``, with so many workers, or ``dask:ADDRESS``."""
    kind, _, address = spec.partition(":")
    if kind == "local" and not address:
        from autograder.grading.pool import Pool

        return Pool(workers)
    if kind == "dask" and address:
        from autograder.grading.on_dask import OnDask

        return OnDask(address)
    raise BadExecutor(f"no executor is known as {spec!r}; write local, or dask:ADDRESS as in dask:tcp://127.0.0.1:8786")
