"""Where the commands of an answer are run: the real kubectl against one cluster, behind a socket of this machine.

A thread with an event loop serves for as long as the process judges; each answer gets a front of its own at the same
port (kubectl keeps what it learned of an API by its address), a folder for its files, and an empty home.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from autograder.checks import Where
from autograder.checks.commands import CommandRun
from autograder.clusters import kubectl, scratch
from autograder.clusters.embedded import EmbeddedCluster
from autograder.clusters.owned import OwnedCluster
from autograder.controlplane.fronts import kubeconfig
from autograder.controlplane.fronts.socket import HOST, SocketFront
from autograder.exercises.bounding import Bound, Bounded
from autograder.exercises.command_lines import CommandLine
from autograder.exercises.deadlines import TimedOut

#: Seconds of the cluster's time between two command lines: somebody has to type them.
TYPING_SECONDS: Final = 5
#: Seconds of wall time for one command, and characters that it may print.
COMMAND_SECONDS: float = 10
#: Where time is real: seconds for one command, and seconds after which the next one is typed though the cluster works.
REAL_COMMAND_SECONDS: float = 120
WORK_SECONDS: float = 30
OUTPUT: Final = 256 * 1024
#: What stands for the cluster's address, which is another each time, in what kubectl prints.
SERVER: Final = "https://kubernetes"

_Result = TypeVar("_Result")


class _Served(NamedTuple):
    kubeconfig: Path
    url: str
    is_waiting: Callable[[], bool] = lambda: True


class Terminal:
    """Runs command lines, one answer at a time.  Belongs to the process that made it."""

    def __init__(self) -> None:
        self._process = os.getpid()
        scratch.clean()
        self._scratch = scratch.Scratch()
        self._home = self._scratch.path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="terminal", daemon=True)
        self._thread.start()
        self._port = 0
        self._token = secrets.token_urlsafe(24)
        self._usable = True

    @property
    def usable(self) -> bool:
        """Whether this terminal is of this process, and nothing in it hangs."""
        return self._usable and self._process == os.getpid()

    def run(
        self,
        cluster: EmbeddedCluster | OwnedCluster,
        lines: Sequence[CommandLine],
        files: Mapping[str, str],
        *,
        namespace: str,
        source: str,
        pods: int,
        seconds: float,
    ) -> Iterator[CommandRun]:
        """Run command lines one after the other, and yield what became of each command.

        ``files`` are those that the commands may read; ``pods`` is the largest number of replicas that may be asked
        for.  Raises ``TimedOut`` after ``seconds``.  Between two results the cluster may be looked at.
        """  # fmt: skip
        end = time.monotonic() + seconds
        longest = COMMAND_SECONDS if isinstance(cluster, EmbeddedCluster) else REAL_COMMAND_SECONDS
        with tempfile.TemporaryDirectory(dir=self._home) as folder, self._serving(cluster, pods, namespace) as served:
            for name, text in files.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            for line in lines:
                given = line.stdin
                for command in line.commands:
                    left = end - time.monotonic()
                    if left <= 0:
                        raise TimedOut
                    ran = kubectl.run(
                        list(command.arguments), kubeconfig=served.kubeconfig, home=self._home, folder=Path(folder),
                        stdin=given, timeout=min(longest, left), most=OUTPUT, lean=True,
                        finds_programs=command.verb == "diff", longest=left, is_waiting=served.is_waiting,
                    )  # fmt: skip
                    if ran.code == kubectl.STOPPED and time.monotonic() >= end:
                        raise TimedOut
                    given, said = (text.replace(served.url, SERVER) for text in (ran.out, ran.err))
                    place = Where(source, line.line, 1)
                    yield CommandRun(command.verb, command.arguments, ran.code, given, said, place)
                if line.file:
                    Path(folder, line.file).write_text(given, encoding="utf-8")
                self._pass_time(cluster, end)

    def _pass_time(self, cluster: EmbeddedCluster | OwnedCluster, end: float) -> None:
        """Let the cluster work on what a command line has asked for."""
        if isinstance(cluster, EmbeddedCluster):
            self._do(_advance(cluster), end)
        else:
            cluster.wait_until_quiet(min(WORK_SECONDS, end - time.monotonic()))

    @contextlib.contextmanager
    def _serving(self, cluster: EmbeddedCluster | OwnedCluster, pods: int, namespace: str) -> Iterator[_Served]:
        """Serve a cluster, to nobody else on this machine."""
        self._port = self._port or _free_port()
        if isinstance(cluster, OwnedCluster):
            relay = cluster.relay(Bound(pods), self._token, self._port)
            with contextlib.closing(relay):
                yield self._written(kubeconfig.document(relay.url, self._token, None), relay.url, namespace)
            return
        front = SocketFront(
            Bounded(cluster.control_plane, pods), self._token, port=self._port, mode="manual", tls=False
        )
        address = self._do(front.start())
        try:
            served = self._written(address.kubeconfig(), address.url, namespace)
            yield served._replace(is_waiting=lambda: len(front.watches) > 0)
        finally:
            self._do(front.close())

    def _written(self, document: dict[str, Any], url: str, namespace: str) -> _Served:
        """What kubectl reads of a served cluster."""
        document["contexts"][0]["context"]["namespace"] = namespace
        path = self._home / "kubeconfig"
        kubeconfig.write(path, document)
        return _Served(path, url)

    def _do(self, work: Coroutine[Any, Any, _Result], end: float | None = None) -> _Result:
        """Let the loop's thread do something; if it does not come to an end in time, it is given up."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(COMMAND_SECONDS if end is None else max(0.1, end - time.monotonic()))
        except TimeoutError:
            self._usable = False
            ident = ctypes.c_ulong(self._thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(TimedOut))
            raise TimedOut from None


async def _advance(cluster: EmbeddedCluster) -> None:
    cluster.advance(TYPING_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
