"""A server in a process of its own, and kubectl against it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

KUBECTL = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
#: Seconds that a command may take, and the end of a server.
PATIENCE = 150

needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class Served:
    """A server in a process of its own, and kubectl against it."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.kubeconfig = folder / "config"

    def kubectl(self, command: str, stdin: str = "", *, code: int = 0) -> str:
        """What a command prints; fails when it does not end with ``code``."""
        done = self.run(command.split(), stdin)
        assert done.code == code, f"kubectl {command}: exit {done.code}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def run(self, words: list[str], stdin: str = "") -> Outcome:
        """Run a command."""
        assert KUBECTL is not None
        own = {"KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.folder / "cache")}
        done = subprocess.run(
            [KUBECTL, *words], input=stdin, text=True, capture_output=True, timeout=PATIENCE, cwd=self.folder,
            env={**os.environ, **own, "KUBE_EDITOR": "sed -i s/blue/green/"},
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def table(self, command: str) -> list[list[str]]:
        """The words of each line of a table."""
        return [line.split() for line in self.kubectl(f"{command} --no-headers").splitlines()]


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """A server that is ready, and is ended afterwards."""
    command = [sys.executable, "-m", "autograder", "cluster", "serve", "--kubeconfig", str(folder / "config"), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Served(process, folder)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)
