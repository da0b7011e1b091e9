"""The commands that a shell runs itself: ``cd``, ``exit``, ``export``, ``trap``, ``wait`` and the like."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers import syntax
from autograder.controlplane.containers.calls import Outcome, Sleep, Stop
from autograder.controlplane.containers.expansion import Expansion
from autograder.controlplane.containers.records import Frame
from autograder.controlplane.containers.words import ShellSyntaxError


class BuiltinCommands(Expansion):
    """The part of a shell that has commands of its own; ``BUILTINS`` names them."""

    frames: list[Frame]
    traps: dict[str, str]
    at_once: bool

    @abstractmethod
    def take(self, outcome: Outcome) -> None:
        """Go on as a command wants."""

    @property
    @abstractmethod
    def listens(self) -> bool:
        """Whether somebody may type to this process."""

    @abstractmethod
    def _await_line(self, *again: object) -> str:
        """The next line that is typed, or a frame that waits for it."""

    @abstractmethod
    def execute(self, argv: tuple[str, ...], stdin: str) -> None:
        """Run one command."""

    def _builtin_true(self, args: tuple[str, ...]) -> None:
        self.status = 0

    def _builtin_false(self, args: tuple[str, ...]) -> None:
        self.status = 1

    def _builtin_exit(self, args: tuple[str, ...]) -> None:
        given = integers.read(args[0]) if args else None
        status = self.status if given is None else given % 256
        for index in range(len(self.frames) - 1, -1, -1):
            if self.frames[index][0] == "child":
                self.frames = self.frames[:index]
                self.status = status
                return
        raise Stop(status)

    def _builtin_cd(self, args: tuple[str, ...]) -> None:
        target = self.system.files.absolute(args[0] if args else self.variables.get("HOME", "/"), self.cwd)
        if not self.system.files.is_directory(target):
            self.emit(
                self.outputs[1], f"sh: cd: can't cd to {args[0] if args else target}: No such file or directory\n"
            )
            self.status = 2
            return
        self.cwd = self.variables["PWD"] = target
        self.status = 0

    def _builtin_export(self, args: tuple[str, ...]) -> None:
        for arg in args:
            name, given, value = arg.partition("=")
            if given:
                self.variables[name] = value
        self.status = 0

    def _builtin_unset(self, args: tuple[str, ...]) -> None:
        for name in args:
            self.variables.pop(name, None)
        self.status = 0

    def _builtin_set(self, args: tuple[str, ...]) -> None:
        if args[:1] == ("--",):
            self.parameters = args[1:]
        self.status = 0

    def _builtin_shift(self, args: tuple[str, ...]) -> None:
        count = integers.read(args[0]) if args else None
        self.parameters = self.parameters[1 if count is None else max(0, count) :]
        self.status = 0

    def _builtin_trap(self, args: tuple[str, ...]) -> None:
        self.status = 0
        if len(args) < 2:
            return
        try:
            syntax.parse(args[0])
        except ShellSyntaxError as error:
            self.emit(self.outputs[1], f"sh: trap: syntax error: {error}\n")
            self.status = 2
            return
        for signal in args[1:]:
            name = {"15": "TERM", "2": "INT", "0": "EXIT", "3": "QUIT", "1": "HUP"}.get(signal, signal)
            self.traps[name.upper().removeprefix("SIG")] = args[0]

    def _builtin_exec(self, args: tuple[str, ...]) -> None:
        if args:
            self.frames = []
            self.process = self.process._replace(argv=args)
            self.traps = {}
            self.execute(args, self.stdin)

    def _builtin_eval(self, args: tuple[str, ...]) -> None:
        try:
            self.frames.append(("node", syntax.parse(" ".join(args))))
        except ShellSyntaxError as error:
            self.emit(self.outputs[1], f"sh: eval: syntax error: {error}\n")
            self.status = 2

    def _builtin_wait(self, args: tuple[str, ...]) -> None:
        wanted = {pid for arg in args if (pid := integers.read(arg)) is not None}
        children = [
            process for process in self.system.processes()
            if process.pid != self.process.pid and process.pid != 1 and (not wanted or process.pid in wanted)
        ]  # fmt: skip
        if children and not self.at_once:
            endless = all(child.forever for child in children)
            self.take(Sleep(SECOND // 10, again=("wait", *args), forever=endless))
        else:
            self.status = 0

    def _builtin_read(self, args: tuple[str, ...]) -> None:
        if not self.stdin and self.listens:
            self.stdin = self._await_line("words", ("read", *args))
            if not self.stdin:
                self.status = 1
                return
        line, _, self.stdin = self.stdin.partition("\n")
        names = [arg for arg in args if not arg.startswith("-")] or ["REPLY"]
        if not line and not self.stdin:
            self.status = 1
            return
        values = line.split(None, len(names) - 1) if len(names) > 1 else [line.strip()]
        for index, name in enumerate(names):
            self.variables[name] = values[index] if index < len(values) else ""
        self.status = 0

    def _builtin_return(self, args: tuple[str, ...]) -> None:
        given = integers.read(args[0]) if args else None
        if given is not None:
            self.status = given % 256
        while self.frames and self.frames[-1][0] != "parameters":
            self.unwind()

    def _builtin_break(self, args: tuple[str, ...]) -> None:
        while self.frames and self.unwind() not in ("again", "for"):
            pass
        self.status = 0

    def _builtin_continue(self, args: tuple[str, ...]) -> None:
        while self.frames and self.frames[-1][0] not in ("again", "for"):
            self.unwind()
        self.status = 0

    def unwind(self) -> str:
        """Drop a frame, but do what must be undone."""
        frame = self.frames.pop()
        if frame[0] in ("outputs", "stdin", "scope"):
            getattr(self, "_do_" + frame[0])(*frame[1:])
        return str(frame[0])


BUILTINS: Final[dict[str, Callable[[BuiltinCommands, tuple[str, ...]], None]]] = {
    ":": BuiltinCommands._builtin_true,
    "local": BuiltinCommands._builtin_export,
    "readonly": BuiltinCommands._builtin_export,
    "true": BuiltinCommands._builtin_true,
    "false": BuiltinCommands._builtin_false,
    "exit": BuiltinCommands._builtin_exit,
    "cd": BuiltinCommands._builtin_cd,
    "export": BuiltinCommands._builtin_export,
    "unset": BuiltinCommands._builtin_unset,
    "set": BuiltinCommands._builtin_set,
    "shift": BuiltinCommands._builtin_shift,
    "trap": BuiltinCommands._builtin_trap,
    "exec": BuiltinCommands._builtin_exec,
    "eval": BuiltinCommands._builtin_eval,
    "wait": BuiltinCommands._builtin_wait,
    "read": BuiltinCommands._builtin_read,
    "return": BuiltinCommands._builtin_return,
    "break": BuiltinCommands._builtin_break,
    "continue": BuiltinCommands._builtin_continue,
}
