"""One answer at a time has the whole of a cluster that outlives this process, and a run that is cut off is made good.

What the cluster was like is kept in a file for as long as an answer has it.  Who finds that file while nobody holds its
lock puts the cluster back first.  The file holds the Secrets of the cluster, so that only its owner may read it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import IO, Final

from autograder.clusters.connection import Connection
from autograder.clusters.interface import ClusterError
from autograder.clusters.pristine import Pristine
from autograder.clusters.scratch import locked

#: Seconds to wait for the answer of another run.
PATIENCE: Final = 600.0
_LOOK_AGAIN: Final = 0.5


class Turns:
    """The turns of one cluster; ``path`` is where its state is kept meanwhile."""

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        self._path = path
        self._patience = patience
        self._lock: IO[bytes] | None = None

    def begin(self, connection: Connection) -> Pristine:
        """Wait for our turn, and make good what a run that was cut off has left.  Raises ``ClusterError``."""
        self._lock = self._locked()
        try:
            if self._path.exists():
                before = Pristine.loaded(connection, self._path.read_text(encoding="utf-8"))
                if before.is_of_this_cluster():
                    before.restore()
                self._path.unlink()
            pristine = Pristine(connection)
            new = self._path.with_suffix(".new")
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(pristine.saved())
            new.replace(self._path)
        except BaseException:
            self._release()
            raise
        return pristine

    def end(self, *, restored: bool) -> None:
        """Give the cluster to the next one; what could not be put back is still known to him."""
        if restored:
            self._path.unlink(missing_ok=True)
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _locked(self) -> IO[bytes]:
        end = time.monotonic() + self._patience
        while (lock := locked(self._path.with_suffix(".lock"))) is None:
            if time.monotonic() > end:
                raise ClusterError("another run has had the whole of the cluster all the time")
            time.sleep(_LOOK_AGAIN)
        return lock
