"""One program of the control plane as a process: started, waited for, stopped, and quoted when it fails.

A program that does not come up is a ``ClusterError`` with what was wrong in one sentence, what to do about it where
that is known, and the last lines that the program wrote.
"""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from autograder.clusters.interface import ClusterError
from autograder.clusters.programs import on_path

#: Seconds that a program has to get ready on a machine with too much to do, and to end once it was asked to.
START_SECONDS: Final = 300.0
STOP_SECONDS: Final = 10.0
#: One that ends later than this was started rightly, and has given up on something that was too slow for it.
AT_ONCE_SECONDS: Final = 20.0
_LOOK_AGAIN: Final = 0.1
#: How much of a log is quoted: lines, and characters of each.
_QUOTED_LINES, _QUOTED_WIDTH = 6, 300

#: How to get each program.
GET: Final = {
    "etcd": "conda install -c conda-forge etcd, or on Debian: apt install etcd-server",
    "kube-apiserver": "conda install -c conda-forge kubernetes-server",
    "kube-controller-manager": "conda install -c conda-forge kubernetes-server",
    "kube-scheduler": "conda install -c conda-forge kubernetes-server",
}
#: What to do, by what a program said at its end.
_ADVICE: Final = {
    "no space left on device": "make room where temporary files are kept, or set TMPDIR",
    "cannot allocate memory": "there is not enough memory: a local control plane takes about 1 GiB",
    "out of memory": "there is not enough memory: a local control plane takes about 1 GiB",
    "too many open files": "raise the limit on open files (ulimit -n)",
    "unknown flag": "it is of another version than this program knows: use that of Kubernetes v1.36",
}
KILLED: Final = "it was killed, perhaps for want of memory: a local control plane takes about 1 GiB"
_PORT_TAKEN: Final = "address already in use"


class PortTaken(ClusterError):
    """Somebody took a port between our looking and the program's listening."""


def find(name: str) -> str:
    """Where a program is; raises ``ClusterError`` with how to get it."""
    path = on_path(name)
    if path is None:
        raise ClusterError(f"--cluster local needs {name}, which is not on PATH; get it by: {GET[name]}")
    return path


class Process:
    """One program.  ``ready`` is the URL that answers 200 once it can be used, ``context`` the trust in its TLS."""

    def __init__(
        self, name: str, arguments: Sequence[str], log: Path, ready: str, context: ssl.SSLContext | None = None
    ) -> None:
        self.name = name
        self.log = log
        self._command = [find(name), *arguments]
        self._ready = ready
        handlers = [ProxyHandler({}), *([HTTPSHandler(context=context)] if context else [])]
        self._opener = build_opener(*handlers)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process if it does not run, and do not wait; raises ``ClusterError``."""
        if self.running:
            return
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.log.parent,
                    start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            raise ClusterError(
                f"{self._command[0]} cannot be run ({error.strerror}); get it by: {GET[self.name]}"
            ) from error

    def wait(self) -> None:
        """Wait until the program can be used; one that cannot be is stopped.  Raises ``ClusterError``.

        One that gives up after a while is started again, as kubelets do it: so does kube-apiserver when etcd takes
        half a minute to store the default roles.
        """
        seconds = START_SECONDS
        begun = time.monotonic()
        end = begun + seconds
        while not self._answers():
            now = time.monotonic()
            if not self.running:
                failure = self._failure(f"{self.name} ended before it was ready")
                if isinstance(failure, PortTaken) or now - begun < AT_ONCE_SECONDS or now > end:
                    raise failure
                self.launch()
                begun = now
            elif now > end:
                failure = self._failure(f"{self.name} was not ready within {seconds:g} seconds")
                self.stop()
                raise failure
            time.sleep(_LOOK_AGAIN)

    def stop(self) -> None:
        """End the process; at once if it does not listen to reason."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def check(self) -> None:
        """Raise ``ClusterError`` if the process has ended by itself since it was launched."""
        if self._process is not None and self._process.poll() is not None:
            raise self._failure(f"{self.name} has ended by itself")

    def last_words(self) -> str:
        """The end of the log, indented; empty if it wrote nothing."""
        text = ""
        with contextlib.suppress(OSError):
            text = self.log.read_text(encoding="utf-8", errors="replace")
        lines = [line[:_QUOTED_WIDTH] for line in text.splitlines() if line.strip()]
        return "\n".join(f"    {line}" for line in lines[-_QUOTED_LINES:])

    def _answers(self) -> bool:
        try:
            with self._opener.open(self._ready, timeout=2) as answer:
                return bool(answer.status == 200)
        except (HTTPError, URLError, OSError):
            return False

    def _failure(self, what: str) -> ClusterError:
        words = self.last_words()
        lower = words.lower()
        code = self._process.poll() if self._process else None
        quoted = f"; it said last:\n{words}" if words else " and said nothing"
        if _PORT_TAKEN in lower:
            return PortTaken(f"{what}: a port that it was given was taken{quoted}")
        advice = next((advice for said, advice in _ADVICE.items() if said in lower), "")
        if not advice and code is not None and code < 0:
            advice = KILLED
        return ClusterError(f"{what}{f' ({advice})' if advice else ''}{quoted}")
