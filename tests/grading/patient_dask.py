"""A Dask cluster of several processes on this machine, which a busy machine may take its time to start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from waiting import AMPLE


@contextmanager
def patient_dask(workers: int) -> Iterator[Any]:
    """A running cluster of so many workers, in processes of their own."""
    import dask
    import distributed

    settings = {
        "distributed.scheduler.allowed-failures": 1,
        "distributed.deploy.lost-worker-timeout": "1h",  # else workers that are slow to start again are never started
        "distributed.comm.timeouts.connect": f"{AMPLE:g}s",
        "distributed.comm.timeouts.tcp": f"{AMPLE:g}s",
        "distributed.worker.daemon": True,
        "distributed.admin.log-format": "",
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as started,
    ):
        yield started
