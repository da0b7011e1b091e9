"""What the shell and the commands that it runs say to each other: a call, what comes of it, the machine around."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from autograder.controlplane.containers.files import FileView
from autograder.controlplane.containers.network import Answer
from autograder.controlplane.containers.records import Container, Listener, Process

if TYPE_CHECKING:
    from autograder.controlplane.etcd import Store


class Sleep(NamedTuple):
    """A command wants to go on after a while, with ``status``; ``again`` are words to run then."""

    micros: int
    status: int = 0
    again: tuple[str, ...] = ()
    forever: bool = False


class Serve(NamedTuple):
    """A command goes on until it is stopped, serving on ports (or just waiting)."""

    listeners: tuple[Listener, ...] = ()
    handles: frozenset[str] = frozenset()
    memory: int = 0
    handle_status: int = 0


class Exec(NamedTuple):
    """A command runs another one: words with variables for it alone, or a script with parameters."""

    argv: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    script: str | None = None


class Interact(NamedTuple):
    """A command goes on with each line that is typed: a shell runs it, another one has it for input."""

    argv: tuple[str, ...] = ()


Outcome = int | Sleep | Serve | Exec | Interact


class System(Protocol):
    """What a process can ask of the machine that it runs on."""

    now: int

    @property
    def container(self) -> Container: ...

    @property
    def files(self) -> FileView: ...

    @property
    def store(self) -> Store | None: ...

    def log(self, stream: str, text: str) -> None: ...

    def resolve(self, name: str) -> list[str]: ...

    def request(self, url: str, *, headers: dict[str, str], timeout: float, method: str = "GET") -> Answer: ...

    def signal(self, pid: int, name: str) -> bool: ...

    def spawn(self, process: Process) -> int: ...

    def processes(self) -> tuple[Process, ...]: ...

    def visible(self) -> tuple[Process, ...]: ...

    def read_line(self) -> str | None: ...


class Caller(Protocol):
    """The shell that runs a command, as the command sees it."""

    system: System
    variables: dict[str, str]
    cwd: str

    @property
    def listens(self) -> bool:
        """Whether somebody may type to this process, now or later."""


class Call(NamedTuple):
    """One run of a command: its words, its input, where its output goes, and the shell that runs it."""

    argv: tuple[str, ...]
    stdin: str
    out: Callable[[str], None]
    err: Callable[[str], None]
    shell: Caller

    @property
    def system(self) -> System:
        return self.shell.system

    @property
    def args(self) -> tuple[str, ...]:
        return self.argv[1:]

    def path(self, text: str) -> str:
        """A path as the process means it."""
        return self.system.files.absolute(text, self.shell.cwd)

    def fail(self, message: str, status: int = 1) -> int:
        """Complain as BusyBox does: ``<command>: <message>``."""
        self.err(f"{self.argv[0].rpartition('/')[2]}: {message}\n")
        return status


Applet = Callable[[Call], Outcome]


class Stop(Exception):
    """The process has ended with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status
