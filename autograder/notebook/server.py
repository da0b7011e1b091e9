"""The student's cluster: a process in the background that outlives the kernel and is found again.

The clock of an embedded cluster stands still but for clients that wait and for ``advance``, so that a notebook run from
top to bottom gives the same outputs on any day and any machine.

Which kind of cluster it is says ``%cluster new SPEC``, which is remembered; ``AUTOGRADER_CLUSTER`` says it for whoever
starts the notebook, and is obeyed first.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import autograder
from autograder.clusters import ClusterError
from autograder.clusters.opening import check_spec, kubeconfig_of
from autograder.clusters.served import NOT_RUN, NotRunThere, NotServed, ServedCluster
from autograder.notebook.home import Home

EMBEDDED: Final = "embedded"
#: The environment variable that says which cluster a notebook uses.
CHOSEN: Final = "AUTOGRADER_CLUSTER"
#: Seconds of virtual time that a new cluster has to start its own Pods.
BOOT_SECONDS: Final = 60
#: Seconds that each kind of cluster has to start; a kind cluster may have to be made first.
_START_SECONDS: Final = {EMBEDDED: 60.0, "local": 400.0, "kind": 900.0, "kubeconfig": 120.0}
_END_SECONDS: Final = {EMBEDDED: 10.0, "local": 60.0, "kind": 300.0, "kubeconfig": 60.0}
_POLL_SECONDS: Final = 0.02
_LONGEST: Final = 500


class ClusterTrouble(Exception):
    """The cluster could not do what it was asked; the message says why, and what to do."""


class CannotDo(ClusterTrouble):
    """This kind of cluster cannot do it at all."""

    def __init__(self, why: object) -> None:
        super().__init__(f"{NOT_RUN}: {why}")


class StudentCluster:
    """The one cluster of a home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._spec = EMBEDDED

    def new(self, spec: str = "") -> dict[str, Any]:
        """Start a fresh cluster in the place of the one there is; its state, once its own Pods run.

        ``spec`` is remembered; without one it is what was wanted before.
        """
        spec = absolute(spec) or self.wanted()
        try:
            check_spec(spec)  # before the cluster that there is has to go
        except ClusterError as error:
            raise ClusterTrouble(str(error)) from error
        self._start(spec)
        self._remembered.write_text(f"{spec}\n", encoding="utf-8")
        return self.post("advance", seconds=BOOT_SECONDS) if spec == EMBEDDED else self.post("settle")

    def load(self, saved: Path) -> dict[str, Any]:
        """Start the cluster that was saved in a file in the place of the one there is; its state."""
        if (wanted := self.wanted()) != EMBEDDED:
            raise CannotDo(
                f"only an embedded cluster can begin from a file, and this notebook uses {wanted}; "
                "`%cluster new embedded` changes that"
            )
        self._start(EMBEDDED, "--load", str(saved.absolute()))
        return self.state()

    def wanted(self) -> str:
        """Which cluster is started when one is needed."""
        if chosen := os.environ.get(CHOSEN):
            return absolute(chosen)
        return self._remembered.read_text(encoding="utf-8").strip() if self._remembered.is_file() else EMBEDDED

    @property
    def _remembered(self) -> Path:
        return self._home.state / "spec"

    def ensure(self) -> None:
        """Start a cluster unless there is one."""
        if not self.is_there():
            self.new()

    def is_there(self) -> bool:
        """Whether a cluster of this home answers."""
        try:
            self.state()
        except ClusterTrouble:
            return False
        return True

    def state(self) -> dict[str, Any]:
        """``now``, ``running``, ``stopped`` and ``pid``.  Raises ``ClusterTrouble`` when there is no cluster."""
        return self._ask(ServedCluster.state)

    def saved(self) -> dict[str, Any]:
        """Everything that is needed to begin again from here."""
        return self._ask(ServedCluster.saved)

    def post(self, name: str, **fields: object) -> dict[str, Any]:
        """Let the cluster do something (see ``fronts.control``); its state afterwards."""
        return self._ask(lambda cluster: cluster.post(name, **fields))

    def end(self) -> None:
        """End the cluster's process, if there is one."""
        with contextlib.suppress(ClusterTrouble):
            self.post("shutdown")
        self._home.kubeconfig.unlink(missing_ok=True)
        if self._process is None:
            return
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS[_kind(self._spec)])
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self, spec: str, *options: str) -> None:
        """Start the process and wait until it can be reached."""
        self.end()
        self._spec = spec
        seconds = _START_SECONDS[_kind(spec)]
        self._home.state.mkdir(parents=True, exist_ok=True)
        self._home.state.chmod(0o700)  # saved clusters and the log are nobody else's either
        command = [
            sys.executable, "-P", "-m", "autograder", "cluster", "serve", "--cluster", spec,
            *(["--clock", "manual"] if spec == EMBEDDED else []),
            "--kubeconfig", str(self._home.kubeconfig), *options, *(["--until-eof"] if self._home.private else []),
        ]  # fmt: skip
        with self._home.log.open("wb") as log:
            process = self._process = subprocess.Popen(
                command, cwd=self._home.state, env=_environment(), stdout=log, stderr=log,
                stdin=subprocess.PIPE if self._home.private else subprocess.DEVNULL, **_apart(),
            )  # fmt: skip
        self._home.pid.write_text(f"{process.pid}\n", encoding="utf-8")
        patience = time.monotonic() + seconds
        while not self._home.kubeconfig.exists():
            if process.poll() is not None:
                raise ClusterTrouble(f"the cluster did not start: {self._last_words()}")
            if time.monotonic() > patience:
                process.kill()
                raise ClusterTrouble(f"the cluster did not start within {seconds:.0f} s: {self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def _last_words(self) -> str:
        """The last line that the process wrote, and where the others are."""
        lines = self._home.log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{last[:_LONGEST]} (see {self._home.log})"

    def _ask(self, ask: Callable[[ServedCluster], dict[str, Any]]) -> dict[str, Any]:
        try:
            return ask(ServedCluster(self._home.kubeconfig))
        except NotRunThere as error:
            raise CannotDo(error) from error
        except NotServed as error:
            raise ClusterTrouble(f"{error}; `%cluster new` starts one") from error
        except ClusterError as error:
            raise ClusterTrouble(str(error)) from error


def _kind(spec: str) -> str:
    """The kind of a cluster; what is no kind at all is left to the process to refuse."""
    kind = spec.partition(":")[0]
    return kind if kind in _START_SECONDS else EMBEDDED


def absolute(spec: str) -> str:
    """What names a cluster, understood in whatever folder."""
    kind, _, rest = spec.strip().partition(":")
    if kind != "kubeconfig" or not rest:
        return spec.strip()
    path, context = kubeconfig_of(rest)
    return f"kubeconfig:{path.absolute()}{f'#{context}' if context else ''}"


def _environment() -> dict[str, str]:
    """This process's environment, in which Python finds this very package."""
    here = str(Path(autograder.__file__).parents[1])
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{here}{os.pathsep}{path}" if path else here}


def _apart() -> dict[str, Any]:
    """Options that keep a process out of reach of the kernel's interrupts, on each system."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
