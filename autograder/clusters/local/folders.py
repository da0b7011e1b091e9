"""Where a run keeps its data, keys and logs; and the end of all that belongs to a run that was cut off.

A folder is left over when the lock on it is free (see ``scratch``); its processes are those of our programs whose
command lines name it.  So nothing has to be noted down before it happens.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from autograder.clusters import scratch
from autograder.clusters.local import keeper

KIND: Final = "local"


class Folder:
    """The folder of this run, with a keeper beside it."""

    def __init__(self) -> None:
        self._scratch = scratch.Scratch(KIND)
        self.path = self._scratch.path
        command = [sys.executable, "-I", keeper.__file__, str(self.path), str(self._scratch.lock)]
        self._keeper = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def remove(self) -> None:
        """End what still runs here, remove the folder, and dismiss the keeper."""
        keeper.end(self.path)
        self._scratch.remove()
        self._keeper.kill()  # its standard input may be held open by a process that was forked from this one
        self._keeper.communicate()


def clean(place: Path | None = None) -> list[Path]:
    """Remove what runs that were cut off have left in ``place`` (where temporary files are); returns the folders."""
    place = place or Path(tempfile.gettempdir())
    removed = scratch.clean(KIND, place, keeper.end)
    keeper.end_homeless(place / f"{scratch.PREFIX}{KIND}-")
    return removed
