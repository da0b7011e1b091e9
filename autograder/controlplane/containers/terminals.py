"""Being connected to a program in a container: to the one that the container runs, or to a shell of one's own.

Both are a ``Terminal`` to the API server: what is printed can be polled, and text can be typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from autograder.controlplane.apimachinery.node_connection import END_OF_INPUT
from autograder.controlplane.containers import syntax
from autograder.controlplane.containers.applets import APPLETS
from autograder.controlplane.containers.records import MAX_INPUT, Process
from autograder.controlplane.containers.shell import KILLED, Interpreter, prompt
from autograder.controlplane.containers.system import ContainerSystem
from autograder.controlplane.containers.words import ShellSyntaxError, Unfinished

if TYPE_CHECKING:
    from autograder.controlplane.containers.machines import Machines

#: Shells that go on as long as somebody types.
SHELLS: Final = frozenset({"ash", "bash", "sh"})
#: What a command that would not end by itself leaves, which ends no shell.
_GIVEN_UP: Final = frozenset({124, KILLED})


def is_shell(command: tuple[str, ...]) -> bool:
    """Whether a command is a shell that reads what is typed."""
    return command[:1] != () and command[0].rpartition("/")[2] in SHELLS and all(
        word in ("-i", "-l", "-il", "-li", "--login") for word in command[1:]
    )  # fmt: skip


class Attachment:
    """A client of the program that a container runs.  It sees what is printed from now on, and a prompt that waits."""

    def __init__(self, machines: Machines, container_id: str) -> None:
        self._machines = machines
        self._id = container_id
        container = machines.containers[container_id]
        self.is_tty = container.tty
        self._line, self._seen = container.dropped + len(container.log), 0
        if container.log:
            last = container.log[-1].text
            self._line -= 1
            self._seen = 0 if container.tty and not last.endswith("\n") else len(last)

    def poll(self) -> list[tuple[str, str]]:
        """What was printed since the last look: pairs of stream and text."""
        container = self._machines.containers.get(self._id)
        if container is None:
            return []
        found = []
        for number, line in enumerate(container.log, container.dropped):
            if number < self._line:
                continue
            if new := line.text[self._seen if number == self._line else 0 :]:
                found.append((line.stream, new))
            self._line, self._seen = number, len(line.text)
        return found

    def type(self, text: str) -> None:
        """Give the program something to read."""
        text, ended, _ = text.partition(END_OF_INPUT)
        if (text or ended) and self._id in self._machines.containers:
            self._machines.give_input(self._id, text, last=bool(ended))

    def hang_up(self) -> None:
        """Whoever typed has left; a program that is to be typed to once reads the end of its input."""
        container = self._machines.containers.get(self._id)
        if container is not None and container.stdin_once:
            self._machines.give_input(self._id, "", last=True)

    @property
    def exit_code(self) -> int | None:
        """With what the container has ended; None while it runs."""
        container = self._machines.containers.get(self._id)
        if container is None:
            return KILLED
        return None if container.running else container.exit_code


class Shell:
    """A shell beside the program of a container: it runs each line at once, and remembers where it is and what it set.

    What such a line waits for takes no time; what goes on for ever is given up.
    """

    is_tty: Final = True

    def __init__(self, machines: Machines, container_id: str, argv: tuple[str, ...]) -> None:
        self._machines = machines
        self._id = container_id
        container = machines.containers[container_id]
        self._process = Process(container.next_pid, argv, variables=container.env, cwd=container.workdir)
        machines.containers[container_id] = container._replace(next_pid=container.next_pid + 1)
        self._printed: list[tuple[str, str]] = []
        self._typed, self._begun = "", ""
        self._exit_code: int | None = None
        self._prompt()

    def poll(self) -> list[tuple[str, str]]:
        """What was printed since the last look: pairs of stream and text."""
        printed, self._printed = self._printed, []
        return printed

    def type(self, text: str) -> None:
        """Run the lines that have been typed."""
        text, ended, _ = text.partition(END_OF_INPUT)
        *lines, rest = (self._typed + text).split("\n")
        self._typed = rest[:MAX_INPUT]
        for line in lines:
            if self.exit_code is None:
                self._read(line + "\n")
                self._prompt()
        if ended:
            self.hang_up()

    def hang_up(self) -> None:
        """Whoever typed has left."""
        if self._exit_code is None:
            self._exit_code = self._process.status

    @property
    def exit_code(self) -> int | None:
        """With what the shell has ended, by itself or with its container; None while it runs."""
        container = self._machines.containers.get(self._id)
        if self._exit_code is None and (container is None or not container.running):
            self._exit_code = KILLED
        return self._exit_code

    def _prompt(self) -> None:
        if self._exit_code is None:
            user = self._machines.containers[self._id].user
            shown = "> " if self._begun else prompt(self._process.cwd, self._process.variables, user)
            self._printed.append(("stdout", shown))

    def _read(self, line: str) -> None:
        try:
            tree = syntax.parse_typed(self._begun + line)
        except Unfinished:
            self._begun += line
            return
        except ShellSyntaxError as error:
            self._begun = ""
            self._printed.append(("stderr", f"sh: syntax error: {error}\n"))
            return
        self._begun = ""
        process = self._process._replace(frames=(("node", tree), ("next",)))
        interpreter = _OneLine(process, ContainerSystem(self._machines, self._id), APPLETS, at_once=True)
        ended = interpreter.run()
        self._printed += interpreter.captured
        if interpreter.goes_on or ended.exit_code in _GIVEN_UP:
            status = ended.exit_code or 0
            self._process = ended._replace(frames=(), exit_code=None, status=status, outputs=("stdout", "stderr"))
        else:
            self._exit_code = ended.exit_code or 0


class _OneLine(Interpreter):
    """One line of a shell; ``exit`` and ``exec`` keep it from reading the next one."""

    goes_on = False

    def _do_next(self) -> None:
        self.goes_on = True
