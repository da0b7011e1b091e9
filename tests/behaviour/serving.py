"""An embedded cluster behind TLS in a process of its own, for tests that reach it as any client would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(folder: Path, clock: str = "wall", nodes: Path | None = None) -> Iterator[Path]:
    """The kubeconfig of a cluster that is ready; it ends with the block.  ``nodes`` are manifests for other nodes."""
    path = folder / "config"
    command = [sys.executable, "-m", "autograder", "cluster", "serve", "--clock", clock, "--kubeconfig", str(path)]
    command += [] if nodes is None else ["--nodes", str(nodes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield path
        finally:
            process.terminate()
