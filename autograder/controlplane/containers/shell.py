"""Runs a process: takes its remaining work step by step until it ends, sleeps, serves or waits.

What is left to do stands on a stack of frames (``control_flow``), so that between two steps a process is plain data.
A process may take ``MAX_STEPS`` steps in a second; one that wants more is put off for the rest of it, and gets only
``STEADY_STEPS`` in each second from then on, until it rests: a loop without end costs little, and prints some lines a
second.
Run *at once* (for ``exec``, probes, pipes and command substitution), sleeping does not wait: it is added up.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers import syntax, tree
from autograder.controlplane.containers.builtin import BUILTINS
from autograder.controlplane.containers.calls import Applet, Call, Exec, Interact, Outcome, Serve, Sleep, Stop, System
from autograder.controlplane.containers.control_flow import ControlFlow
from autograder.controlplane.containers.files import FileError
from autograder.controlplane.containers.network import NetworkError
from autograder.controlplane.containers.records import Frame, Process
from autograder.controlplane.containers.words import ShellSyntaxError, Unfinished

MAX_STEPS: Final = 20_000
STEADY_STEPS: Final = 500
#: What counts as so many steps, for a process that does not run at once: to wake up, to run a program, to call others.
WAKE_COST: Final = 400
PROGRAM_COST: Final = 5
CALL_COST: Final = 100
_CALLERS: Final = frozenset({"curl", "nc", "nslookup", "ping", "wget"})
MAX_OUTPUT: Final = 200_000
MAX_FRAMES: Final = 400
MAX_NESTING: Final = 20
#: Nothing that runs at once goes on for longer than this (microseconds).
MAX_ELAPSED: Final = 3600 * SECOND
THROTTLED: Final = SECOND

NOT_FOUND: Final = 127
KILLED: Final = 137

#: Frames that only put things back when a script ends.
_ENDINGS: Final = frozenset({"child", "outputs", "parameters", "scope", "status", "stdin"})


def prompt(cwd: str, variables: Mapping[str, str], user: int) -> str:
    """What a shell shows before it reads a command."""
    place = "~" if cwd == variables.get("HOME", "/root") else cwd
    return f"{place} {'#' if user == 0 else '$'} "


class Interpreter(ControlFlow):
    """A process while it runs.  ``run`` takes it as far as it goes now."""

    def __init__(
        self, process: Process, system: System, applets: dict[str, Applet], *, at_once: bool = False, stdin: str = "",
        steps: int = MAX_STEPS, limit: int = MAX_ELAPSED, nesting: int = 0,
    ) -> None:  # fmt: skip
        self.process = process
        self.system = system
        self.applets = applets
        self.at_once = at_once
        self.stdin = stdin
        self.elapsed = 0
        self.limit = limit
        self.nesting = nesting
        self.steps = steps
        self.captured: list[tuple[str, str]] = []
        self._captured_size = 0
        self.frames: list[Frame] = list(process.frames)[::-1]
        self.variables = dict(process.variables)
        self.functions = dict(process.functions)
        self.parameters = process.parameters
        self.traps = dict(process.traps)
        self.cwd = process.cwd
        self.status = process.status
        self.outputs = process.outputs
        self._blocked: Process | None = None
        self._printed: list[tuple[str, str]] = []
        self._window, self._throttled = process.window, process.throttled
        if not at_once:
            self._give_steps()

    def _give_steps(self) -> None:
        """Give a process that wakes up what it may do in this second."""
        process, now = self.process, self.system.now
        self.steps = process.left
        if now >= process.window + THROTTLED:
            steady = process.throttled and now == process.window + THROTTLED
            self.steps = STEADY_STEPS if steady else MAX_STEPS
            self._window, self._throttled = now, False
        self.steps -= WAKE_COST

    def run(self) -> Process:
        """Run until the process ends, or has to wait; gives what it is then."""
        exit_code: int | None = None
        try:
            while self.frames and self._blocked is None:
                self.steps -= 1
                if self.steps < 0:
                    if self.at_once:
                        raise Stop(KILLED)
                    self._throttled = True
                    self._wait(self._window + THROTTLED, forever=True)
                    break
                if len(self.frames) > MAX_FRAMES:
                    self.emit("stderr", "sh: nested too deeply\n")
                    raise Stop(2)
                frame = self.frames.pop()
                getattr(self, "_do_" + frame[0])(*frame[1:])
            if self._blocked is None:
                exit_code = self.status
        except Stop as stop:
            exit_code, self.frames = stop.status, []
        if exit_code is not None and "EXIT" in self.traps:
            script = self.traps.pop("EXIT")
            self.status = exit_code
            self.frames = [("node", syntax.parse(script))]
            again = self.run()
            return again if again.exit_code is None else again._replace(exit_code=exit_code)
        self._write_log()
        base = self._blocked or self.process._replace(
            wake=None, forever=False, listeners=(), handles=frozenset(), reads=False
        )
        return base._replace(
            frames=tuple(self.frames[::-1]), variables=self.variables, functions=self.functions,
            parameters=self.parameters, traps=self.traps, cwd=self.cwd, status=self.status, outputs=self.outputs,
            exit_code=exit_code, window=self._window, left=max(self.steps, 0), throttled=self._throttled,
        )  # fmt: skip

    def _write_log(self) -> None:
        """Write what was printed at this moment, as one piece for each stream in turn."""
        for stream, pieces in itertools.groupby(self._printed, lambda printed: printed[0]):
            self.system.log(stream, "".join(text for _, text in pieces))
        self._printed.clear()

    def emit(self, output: str, text: str) -> None:
        """Write to an output: a stream, a file, or nowhere."""
        if output == "null" or not text:
            return
        if output.startswith("file:"):
            self.system.files.write(output[5:], text, append=True)
        elif self.at_once:
            self._captured_size += len(text)
            if self._captured_size > MAX_OUTPUT:
                raise Stop(KILLED)
            self.captured.append((output, text))
        else:
            self._printed.append((output, text))

    def output_of(self, command: tree.Command, stdin: str | None = None) -> str:
        """What a part of the script prints, run at once and apart; its time is added to this one's."""
        if self.nesting >= MAX_NESTING:
            self.emit("stderr", "sh: nested too deeply\n")
            raise Stop(2)
        process = self.process._replace(
            frames=(("node", command),), variables=self.variables, functions=self.functions,
            parameters=self.parameters, traps={}, cwd=self.cwd, status=self.status, outputs=("stdout", "stderr"),
        )  # fmt: skip
        inner = Interpreter(
            process, self.system, self.applets, at_once=True, stdin=self.stdin if stdin is None else stdin,
            steps=self.steps, limit=max(self.limit - self.elapsed, 0), nesting=self.nesting + 1,
        )  # fmt: skip
        ended = inner.run()
        self.steps = inner.steps
        for stream, text in inner.captured:
            if stream == "stderr":
                self.emit(self.outputs[1], text)
        self.status = ended.exit_code or 0
        if inner.elapsed:
            self._sleep(Sleep(inner.elapsed, self.status))
        return "".join(text for stream, text in inner.captured if stream == "stdout")

    def execute(self, argv: tuple[str, ...], stdin: str) -> None:
        """Run one command: a function, a command of the shell itself, or a program."""
        name = argv[0]
        if name in self.functions:
            self.frames += [("parameters", self.parameters), ("node", self.functions[name])]
            self.parameters = argv[1:]
            return
        builtin = BUILTINS.get(name)
        if builtin is not None:
            builtin(self, argv[1:])
            return
        applet = self._program(name)
        if applet is None:
            return
        if not self.at_once:
            self.steps -= CALL_COST if name in _CALLERS else PROGRAM_COST
        out, err = self.outputs
        call = Call(argv, stdin, lambda text: self.emit(out, text), lambda text: self.emit(err, text), self)
        try:
            outcome = applet(call)
        except (FileError, NetworkError) as error:
            outcome = call.fail(str(error))
        self.take(outcome)

    def take(self, outcome: Outcome) -> None:
        """Go on as a command wants that has been run."""
        if isinstance(outcome, int):
            self.status = outcome
        elif isinstance(outcome, Sleep):
            self._sleep(outcome)
        elif isinstance(outcome, Serve):
            self._serve(outcome)
        elif isinstance(outcome, Interact):
            self.frames.append(("typed", outcome.argv) if outcome.argv else ("interact", "", False))
        elif outcome.script is not None:
            self._script(outcome.script, outcome.argv)
        else:
            if outcome.variables:
                self.frames.append(("scope", dict(self.variables), self.cwd))
                self.variables.update(outcome.variables)
            if outcome.argv:
                self.execute(outcome.argv, self.stdin)

    def _serve(self, serve: Serve) -> None:
        if self.at_once:
            self.elapsed = self.limit
            raise Stop(124)
        # A shell gives its place to the last command of ``sh -c``, and only the first process gets the signal.
        last = all(frame[0] in _ENDINGS for frame in self.frames)
        self.frames.append(("status", serve.handle_status))
        self._blocked = self.process._replace(
            wake=None, forever=True, listeners=serve.listeners, handles=serve.handles if last else frozenset(),
            memory=serve.memory or self.process.memory,
        )  # fmt: skip

    @property
    def listens(self) -> bool:
        """Whether somebody may type to this process, now or later."""
        container = self.system.container
        return not self.at_once and (container.listens or bool(container.input))

    def _await_line(self, *again: object) -> str:
        """The next line that is typed; '' at the end, or if it has to be waited for, which goes on with a frame."""
        line = self.system.read_line()
        if line is None:
            self.frames.append(again)
            self._blocked = self.process._replace(
                wake=None, forever=True, listeners=(), handles=frozenset(), reads=True
            )
        return line or ""

    def _do_typed(self, argv: tuple[str, ...]) -> None:
        """Let a program have each line that is typed for its input."""
        line = self._await_line("typed", argv)
        if line:
            self.frames.append(("typed", argv))
            self.execute(argv, line)

    def _do_interact(self, before: str, prompted: bool) -> None:
        """Read a line and run it, as long as lines come; ``before`` are lines that were not a whole command."""
        if not prompted and self.system.container.tty:
            self.emit("stdout", "> " if before else prompt(self.cwd, self.variables, self.system.container.user))
        line = self._await_line("interact", before, True)
        if self._blocked is not None or not (before or line):
            return
        try:
            parsed = syntax.parse_typed(before + line)
        except Unfinished as error:
            if line:
                self.frames.append(("interact", before + line, False))
            else:
                self._complain(error)
            return
        except ShellSyntaxError as error:
            self._complain(error)
            self.frames.append(("interact", "", False))
            return
        self.frames += [("interact", "", False), ("node", parsed)]

    def _complain(self, error: ShellSyntaxError) -> None:
        self.emit("stderr", f"sh: syntax error: {error}\n")
        self.status = 2

    def _script(self, script: str, parameters: tuple[str, ...]) -> None:
        """Run a script as another shell would, with its own parameters and variables."""
        try:
            parsed = syntax.parse(script)
        except ShellSyntaxError as error:
            self.emit(self.outputs[1], f"sh: syntax error: {error}\n")
            self.status = 2
            return
        # ``exit`` in the script ends the script only: it drops what lies above the frame ``child``.
        self.frames += [("scope", dict(self.variables), self.cwd), ("parameters", self.parameters), ("child",)]
        self.parameters = parameters
        self.frames.append(("node", parsed))

    def _program(self, name: str) -> Applet | None:
        """The program of a name, if the image has it; complains otherwise."""
        image = self.system.container.image
        base = name.rpartition("/")[2]
        applet = self.applets.get(base)
        if applet and (base in image.tools or name in image.entrypoint[:1]):
            return applet
        if "/" in name and self.system.files.is_file(self.system.files.absolute(name, self.cwd)):
            text = self.system.files.read(self.system.files.absolute(name, self.cwd))
            return lambda call: Exec(call.args, script=text)
        self.emit(self.outputs[1], f"sh: {name}: not found\n")
        self.status = NOT_FOUND
        return None

    def _sleep(self, sleep: Sleep) -> None:
        if sleep.again:
            self.frames.append(("words", sleep.again))
        self.frames.append(("status", sleep.status))
        if self.at_once:
            self.elapsed += sleep.micros
            if self.elapsed >= self.limit:
                raise Stop(KILLED)
            return
        endless = sleep.forever or any(frame[0] == "again" and syntax.is_endless(frame[1]) for frame in self.frames)
        self._wait(self.system.now + sleep.micros, forever=endless)

    def _wait(self, wake: int, *, forever: bool) -> None:
        self._blocked = self.process._replace(wake=wake, forever=forever, listeners=(), handles=frozenset())

    def spawn(self, command: tree.Command) -> None:
        """Run a command in the background, as a process of its own."""
        process = self.process._replace(
            argv=("sh",), frames=(("node", command),), variables=dict(self.variables),
            functions=self.functions, parameters=self.parameters, traps={}, cwd=self.cwd, outputs=self.outputs,
            wake=self.system.now, listeners=(), handles=frozenset(),
        )  # fmt: skip
        if self.at_once:
            self.emit("stderr", "sh: background commands do not run here\n")
            self.status = 1
            return
        self.variables["!"] = str(self.system.spawn(process))
        self.status = 0
