"""The programs docker or podman, and kind: run with a deadline, and what their failures mean in one sentence."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from autograder.clusters.interface import ClusterError
from autograder.clusters.programs import on_path

#: kind reads here which engine it is to use; we follow it.
PROVIDER: Final = "KIND_EXPERIMENTAL_PROVIDER"
ENGINES: Final = ("docker", "podman")
#: Seconds that an ordinary command may take.
COMMAND_SECONDS: Final = 60.0
#: How much of what a program said is quoted.
_QUOTED_LINES, _QUOTED_WIDTH = 6, 300
#: A function or a place of the stack that kubeadm prints under what it has to say.
_STACK: Final = re.compile(r"\s*(?:[\w./*()-]+\.[\w.*()]+|\S+\.go:\d+)\s*")

GET: Final = {
    "docker": "https://docs.docker.com/engine/install/, or on Debian: apt install docker.io",
    "podman": "https://podman.io/docs/installation, or on Debian: apt install podman",
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start/#installation",
}
#: What to do, by a part of what a program said; the first that fits counts.
_ADVICE: Final = (
    ("permission denied", "you may not use the engine: join the group docker and log in again"),
    ("cannot connect to the docker daemon", "the engine does not run: start it (systemctl start docker)"),
    ("failed to connect to the docker api", "the engine does not run: start it (systemctl start docker)"),
    ("is the docker daemon running", "the engine does not run: start it (systemctl start docker)"),
    ("cannot connect to podman", "the engine does not run: start it (podman machine start)"),
    ("no space left on device", "the disk is full: make room, for instance by `docker system prune`"),
    ("port is already allocated", "a port of this machine is in use: stop what uses it, and try again"),
    ("address already in use", "a port of this machine is in use: stop what uses it, and try again"),
    ("cannot allocate memory", "there is not enough memory: three nodes take about 4 GiB"),
    ("out of memory", "there is not enough memory: three nodes take about 4 GiB"),
    ("oomkilled", "there is not enough memory: three nodes take about 4 GiB"),
    ("too many open files", "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches (sysctl)"),
    ("failed to pull image", "the image cannot be pulled: see that this machine reaches its registry"),
    ("manifest unknown", "there is no such image: see the name and tag"),
    # kind says this of every machine with cgroup v1, on which the kubelet then does not start.
    (
        "cgroup",
        "the machine may not suit: boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1); "
        "see that sysctl fs.inotify.max_user_instances is 512 or more",
    ),
    ("timed out waiting", "the machine is too slow, or busy: try again when it is not"),
)


class EngineError(ClusterError):
    """A program failed, is missing or takes too long; the message says what to do about it.

    ``done`` is how it ended, if it did so by itself.
    """

    done: subprocess.CompletedProcess[str] | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs are; made by ``find``.  A command may take ``seconds``, or as long as an ordinary one."""

    engine: str
    engine_name: str
    kind: str

    @classmethod
    def find(cls) -> Tools:
        """The programs on PATH; raises ``EngineError`` with how to get what is missing."""
        wanted = os.environ.get(PROVIDER, "")
        if wanted and wanted not in ENGINES:
            raise EngineError(f"{PROVIDER} is {wanted!r}; write docker or podman")
        names = (wanted,) if wanted else ENGINES
        found = next(((name, path) for name in names if (path := on_path(name))), None)
        if found is None:
            raise EngineError(
                f"--cluster kind needs {' or '.join(names)}, which is not on PATH; get it: {GET[names[0]]}"
            )
        kind = on_path("kind")
        if kind is None:
            raise EngineError(f"--cluster kind needs kind, which is not on PATH; get it: {GET['kind']}")
        tools = cls(found[1], found[0], kind)
        tools.run_engine("info")
        return tools

    def run_engine(self, *arguments: str, seconds: float = 0, stdin: str = "") -> str:
        """What docker or podman prints; raises ``EngineError``."""
        return self._run([self.engine, *arguments], seconds, stdin)

    def platform(self) -> str:
        """What docker runs on, as ``linux/amd64``; raises ``EngineError``."""
        return self.run_engine("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}").strip()

    def machine(self) -> tuple[int, int]:
        """Processors and bytes of memory of the machine that the nodes share; raises ``EngineError``."""
        fields = "{{.NCPU}} {{.MemTotal}}" if self.engine_name == "docker" else "{{.Host.CPUs}} {{.Host.MemTotal}}"
        said = self.run_engine("info", "--format", fields)
        try:
            processors, memory = map(int, said.split())
        except ValueError as error:
            raise EngineError(f"`{self.engine_name} info` does not say how large the machine is: {said!r}") from error
        return processors, memory

    def run_kind(self, *arguments: str, seconds: float = 0, stdin: str = "", holding: Sequence[int] = ()) -> str:
        """What kind prints; raises ``EngineError``.  ``holding`` are open files that it keeps open if we are killed."""
        return self._run([self.kind, *arguments], seconds, stdin, holding)

    def on_node(self, node: str, *command: str, seconds: float = 0, stdin: str = "") -> str:
        """What a command prints that runs in the container of a node; raises ``EngineError``."""
        interactive = ["-i"] if stdin else []
        return self.run_engine("exec", *interactive, node, *command, seconds=seconds, stdin=stdin)

    def _run(self, command: Sequence[str], seconds: float, stdin: str, holding: Sequence[int] = ()) -> str:
        seconds = seconds or COMMAND_SECONDS
        environment = {**os.environ, PROVIDER: self.engine_name}
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, encoding="utf-8", errors="replace", timeout=seconds,
                env=environment, pass_fds=holding,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"`{_shown(command)}` took longer than {seconds:g} seconds and was stopped") from error
        except OSError as error:
            name = Path(command[0]).name
            raise EngineError(f"{command[0]} cannot be run ({error.strerror}); get it: {GET[name]}") from error
        if done.returncode:
            failed = failure(command, done.returncode, f"{done.stdout}\n{done.stderr}")
            failed.done = done
            raise failed
        return done.stdout


def failure(command: Sequence[str], code: int, said: str) -> EngineError:
    """What a failed command means: what to do where that is known, and the last lines that it wrote."""
    lines = [line.rstrip()[:_QUOTED_WIDTH] for line in said.splitlines() if line.strip() and not _STACK.fullmatch(line)]
    lower = said.lower()
    advice = next((advice for part, advice in _ADVICE if part in lower), "")
    if not advice and code < 0:
        advice = "it was killed, perhaps for want of memory"
    quoted = "\n".join(f"    {line}" for line in lines[-_QUOTED_LINES:])
    how = f"was killed by signal {-code}" if code < 0 else f"failed with code {code}"
    return EngineError(
        f"`{_shown(command)}` {how}{f' ({advice})' if advice else ''}"
        + (f"; it said last:\n{quoted}" if quoted else " and said nothing")
    )


def _shown(command: Sequence[str]) -> str:
    text = " ".join([Path(command[0]).name, *command[1:]])
    return text if len(text) <= 120 else f"{text[:117]}..."
