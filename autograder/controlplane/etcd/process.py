"""A private etcd: a process of its own on loopback, with data that are thrown away at the end.

The binary is the one on ``PATH`` (Debian: ``etcd-server``; conda-forge: ``etcd``).  ``stop`` and ``start`` keep the
data and the port, so that a lesson can take the store from a cluster and give it back.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

HOST: Final = "127.0.0.1"
#: How long etcd may take to start and to stop, in seconds.
PATIENCE: Final = 30.0
_LOOK_AGAIN: Final = 0.05


class EtcdNotFoundError(OSError):
    """There is no etcd to be run; the message says how to get one."""


class EtcdFailedError(OSError):
    """etcd did not come up; the message has the last lines of its log."""


def find(name: str = "etcd") -> str:
    """The path of the binary; raises ``EtcdNotFoundError``."""
    found = shutil.which(name)
    if found is None:
        raise EtcdNotFoundError(f"no {name} was found; install Debian's package etcd-server or conda-forge's etcd")
    return found


class EtcdProcess:
    """An etcd of our own; a context manager that starts it, and at the end stops it and removes its data."""

    def __init__(self, binary: str = "etcd") -> None:
        self._binary = find(binary)
        self._folder = Path(tempfile.mkdtemp(prefix="etcd-"))
        self.port, self._peer_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> EtcdProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def endpoint(self) -> str:
        """What ``etcdctl --endpoints`` takes."""
        return f"http://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> Path:
        """The file into which etcd writes what it does."""
        return self._folder / "log"

    def start(self) -> None:
        """Start the process on the data there are, and wait until it answers; raises ``EtcdFailedError``."""
        if self.running:
            return
        peer = f"http://{HOST}:{self._peer_port}"
        command = [
            self._binary, "--name=default", f"--data-dir={self._folder / 'data'}", "--log-level=warn",
            f"--listen-client-urls={self.endpoint}", f"--advertise-client-urls={self.endpoint}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise EtcdFailedError(f"{self._binary} did not come up:\n{self._last_words()}")
            time.sleep(_LOOK_AGAIN)

    def stop(self) -> None:
        """End the process; its data stay."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def remove(self) -> None:
        """End the process and throw its data away."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        opener: Any = build_opener(ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def _last_words(self, lines: int = 5) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
