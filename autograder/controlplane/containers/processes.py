"""The processes in containers: each goes on when its time has come, a signal arrives or somebody types to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final, NamedTuple

from autograder.controlplane.clock import Clock
from autograder.controlplane.containers.applets import APPLETS
from autograder.controlplane.containers.calls import System
from autograder.controlplane.containers.records import (
    MAX_INPUT,
    MAX_LOG_LINES,
    Container,
    ContainerState,
    LogLine,
    Process,
)
from autograder.controlplane.containers.shell import KILLED, MAX_ELAPSED, Interpreter
from autograder.controlplane.containers.syntax import command_of, parse

#: Under this name containers set their timers; the key is a container's id.
COMPONENT: Final = "containerd"


class ExecResult(NamedTuple):
    """What a command printed, its exit code, and how long it would have taken (microseconds)."""

    stdout: str
    stderr: str
    exit_code: int
    elapsed: int


class Processes(ABC):
    """The processes of all containers."""

    clock: Clock
    containers: dict[str, Container]
    #: Pods whose containers have changed by themselves, for their kubelet to look at.
    changed: dict[str, None]

    @abstractmethod
    def system_of(self, container_id: str) -> System:
        """The machine as a process in a container sees it."""

    @abstractmethod
    def note_program(self, container: Container) -> None:
        """A container was started or has ended, which may be one that runs a program of the control plane."""

    def run_due(self, container_id: str) -> None:
        """Run every process of a container whose time has come, then wait for the next."""
        container = self.containers[container_id]
        for pid in [process.pid for process in container.processes]:
            container = self.containers[container_id]
            process = next((known for known in container.processes if known.pid == pid), None)
            if not container.running or process is None:
                continue
            if process.wake is not None and process.wake <= self.clock.now:
                self._run(container_id, process)
        self._set_timer(container_id)

    def _run(self, container_id: str, process: Process) -> None:
        ended = Interpreter(process, self.system_of(container_id), APPLETS).run()
        container = self.containers[container_id]
        if ended.exit_code is None:
            others = tuple(ended if known.pid == ended.pid else known for known in container.processes)
            container = self.containers[container_id] = container._replace(processes=others)
            limit = container.memory_limit
            if limit and sum(known.memory for known in others) > limit:
                self.exited(container, KILLED, "OOMKilled")
        elif ended.pid == 1:
            self.exited(container, ended.exit_code, "Completed" if ended.exit_code == 0 else "Error")
        else:
            left = tuple(known for known in container.processes if known.pid != ended.pid)
            self.containers[container_id] = container._replace(processes=left)

    def _set_timer(self, container_id: str) -> None:
        container = self.containers[container_id]
        waking = [process for process in container.processes if process.wake is not None]
        if waking and container.running:
            first = min(waking, key=lambda process: process.wake or 0)
            self.clock.set(COMPONENT, container_id, first.wake or 0, periodic=first.forever)
        else:
            self.clock.cancel(COMPONENT, container_id)

    def exited(self, container: Container, exit_code: int, reason: str) -> None:
        """The first process of a container has ended, and so the container has."""
        self.containers[container.id] = self.containers[container.id]._replace(
            state=ContainerState.EXITED, exit_code=exit_code, reason=reason,
            finished=self.clock.now, processes=(),
        )  # fmt: skip
        self.clock.cancel(COMPONENT, container.id)
        self.changed[container.pod_uid] = None
        self.note_program(container)

    def exec(
        self, container_id: str, argv: tuple[str, ...], *, limit: int = MAX_ELAPSED, stdin: str = ""
    ) -> ExecResult:
        """Run a command in a running container, at once; sleeping in it takes no time but is counted.

        A command that would take longer than ``limit`` microseconds is killed (137).
        """
        container = self.containers[container_id]
        process = Process(
            container.next_pid, argv, frames=(("node", command_of(argv)),), variables=container.env,
            cwd=container.workdir,
        )  # fmt: skip
        self.containers[container_id] = container._replace(next_pid=container.next_pid + 1)
        interpreter = Interpreter(
            process, self.system_of(container_id), APPLETS, at_once=True, stdin=stdin, limit=limit
        )
        ended = interpreter.run()
        texts = {
            stream: "".join(text for known, text in interpreter.captured if known == stream)
            for stream in ("stdout", "stderr")
        }
        return ExecResult(texts["stdout"], texts["stderr"], ended.exit_code or 0, interpreter.elapsed)

    def signal_process(self, container_id: str, pid: int, name: str) -> bool:
        """Send a signal to a process; whether there is one."""
        container = self.containers[container_id]
        process = next((known for known in container.processes if known.pid == pid), None)
        if process is None:
            return False
        if name in process.handles:
            self._resume(container, process, ())
        elif name in process.traps:
            # A shell runs its trap when the command in the foreground has ended; ``wait`` is interrupted.
            waits = process.frames[1:2] and process.frames[1][0] == "words" and process.frames[1][1][:1] == ("wait",)
            trap = ("node", parse(process.traps[name]))
            if waits:
                self._resume(container, process, (trap,), skip=2)
            else:
                interrupted = process._replace(frames=(process.frames[0], trap, *process.frames[1:]))
                self._replace(container.id, interrupted)
        elif pid != 1 and name != "0":
            left = tuple(known for known in container.processes if known.pid != pid)
            self.containers[container.id] = container._replace(processes=left)
        return True

    def give_input(self, container_id: str, text: str, *, last: bool = False) -> None:
        """Give a running container something to read; after the ``last`` there is no more."""
        container = self.containers[container_id]
        if not container.running or not container.listens:
            return
        given = container.input + text
        self.containers[container_id] = container._replace(input=given[:MAX_INPUT], listens=not last)
        for process in container.processes:
            if process.reads:
                self._resume(self.containers[container_id], process, ())

    def _resume(
        self, container: Container, process: Process, frames: tuple[tuple[object, ...], ...], skip: int = 0
    ) -> None:
        """Let a process go on now, with ``frames`` before what is left of it."""
        going = process._replace(
            frames=frames + process.frames[skip:], wake=self.clock.now, forever=False, listeners=(),
            handles=frozenset(), reads=False,
        )  # fmt: skip
        self._replace(container.id, going)
        self.run_due(container.id)

    def _replace(self, container_id: str, process: Process) -> None:
        container = self.containers[container_id]
        processes = tuple(process if known.pid == process.pid else known for known in container.processes)
        self.containers[container_id] = container._replace(processes=processes)

    def write_log(self, container_id: str, stream: str, text: str) -> None:
        """Add output to a container's log; a line that was not ended goes on."""
        container = self.containers[container_id]
        lines = list(container.log[-MAX_LOG_LINES:])
        dropped = container.dropped + len(container.log) - len(lines)
        pieces = text.splitlines(keepends=True)
        if lines and pieces and lines[-1].stream == stream and not lines[-1].text.endswith("\n"):
            lines[-1] = lines[-1]._replace(text=lines[-1].text + pieces.pop(0))
        lines += [LogLine(self.clock.now, stream, piece) for piece in pieces]
        self.containers[container_id] = container._replace(log=tuple(lines), dropped=dropped)
