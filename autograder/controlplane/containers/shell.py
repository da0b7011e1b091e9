"""Runs a process: takes its remaining work step by step until it ends, sleeps, serves or waits.

What is left to do stands on a stack of frames, so that between two steps a process is plain data.  A process may take
``MAX_STEPS`` steps at one moment; one that wants more is put off for a second, as a throttled one is.
Run *at once* (for ``exec``, probes, pipes and command substitution), sleeping does not wait: it is added up.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers import syntax
from autograder.controlplane.containers.arithmetic import BadExpression, calculate
from autograder.controlplane.containers.files import FileError, FileView
from autograder.controlplane.containers.network import Answer, NetworkError
from autograder.controlplane.containers.records import Container, Frame, Listener, Process
from autograder.controlplane.containers.syntax import ShellSyntaxError

MAX_STEPS: Final = 20_000
MAX_OUTPUT: Final = 200_000
MAX_FRAMES: Final = 400
MAX_NESTING: Final = 20
MAX_WORDS: Final = 10_000
#: Nothing that runs at once goes on for longer than this (microseconds).
MAX_ELAPSED: Final = 3600 * SECOND
THROTTLED: Final = SECOND

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
KILLED: Final = 137

#: Frames that only put things back when a script ends.
_ENDINGS: Final = frozenset({"child", "outputs", "parameters", "scope", "status", "stdin"})
_NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


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


Outcome = int | Sleep | Serve | Exec


class System(Protocol):
    """What a process can ask of the machine that it runs on."""

    now: int

    @property
    def container(self) -> Container: ...

    @property
    def files(self) -> FileView: ...

    def log(self, stream: str, text: str) -> None: ...

    def resolve(self, name: str) -> list[str]: ...

    def request(self, url: str, *, headers: dict[str, str], timeout: float, method: str = "GET") -> Answer: ...

    def signal(self, pid: int, name: str) -> bool: ...

    def spawn(self, process: Process) -> int: ...

    def processes(self) -> tuple[Process, ...]: ...


class Call(NamedTuple):
    """One run of a command: its words, its input, where its output goes, and the shell that runs it."""

    argv: tuple[str, ...]
    stdin: str
    out: Callable[[str], None]
    err: Callable[[str], None]
    shell: Interpreter

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


class _Stop(Exception):
    """The process has ended with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Interpreter:
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

    def run(self) -> Process:
        """Run until the process ends, or has to wait; gives what it is then."""
        exit_code: int | None = None
        try:
            while self.frames and self._blocked is None:
                self.steps -= 1
                if self.steps < 0:
                    if self.at_once:
                        raise _Stop(KILLED)
                    self._wait(self.system.now + THROTTLED, forever=True)
                    break
                if len(self.frames) > MAX_FRAMES:
                    self.emit("stderr", "sh: nested too deeply\n")
                    raise _Stop(2)
                frame = self.frames.pop()
                getattr(self, "_do_" + frame[0])(*frame[1:])
            if self._blocked is None:
                exit_code = self.status
        except _Stop as stop:
            exit_code, self.frames = stop.status, []
        if exit_code is not None and "EXIT" in self.traps:
            script = self.traps.pop("EXIT")
            self.status = exit_code
            self.frames = [("node", syntax.parse(script))]
            again = self.run()
            return again if again.exit_code is None else replace(again, exit_code=exit_code)
        base = self._blocked or replace(self.process, wake=None, forever=False, listeners=(), handles=frozenset())
        return replace(
            base, frames=tuple(self.frames[::-1]), variables=self.variables, functions=self.functions,
            parameters=self.parameters, traps=self.traps, cwd=self.cwd, status=self.status, outputs=self.outputs,
            exit_code=exit_code,
        )  # fmt: skip

    def text(self) -> str:
        """What an interpreter that runs at once has printed to stdout."""
        return "".join(text for stream, text in self.captured if stream == "stdout")

    def emit(self, output: str, text: str) -> None:
        """Write to an output: a stream, a file, or nowhere."""
        if output == "null" or not text:
            return
        if output.startswith("file:"):
            self.system.files.write(output[5:], text, append=True)
        elif self.at_once:
            self._captured_size += len(text)
            if self._captured_size > MAX_OUTPUT:
                raise _Stop(KILLED)
            self.captured.append((output, text))
        else:
            self.system.log(output, text)

    def nested(self, node: syntax.Command, stdin: str = "") -> Interpreter:
        """Run a part of the script at once and apart; its time is added to this one's."""
        if self.nesting >= MAX_NESTING:
            self.emit("stderr", "sh: nested too deeply\n")
            raise _Stop(2)
        process = replace(
            self.process, frames=(("node", node),), variables=self.variables, functions=self.functions,
            parameters=self.parameters, traps={}, cwd=self.cwd, status=self.status, outputs=("stdout", "stderr"),
        )  # fmt: skip
        inner = Interpreter(
            process, self.system, self.applets, at_once=True, stdin=stdin, steps=self.steps,
            limit=max(self.limit - self.elapsed, 0), nesting=self.nesting + 1,
        )  # fmt: skip
        ended = inner.run()
        self.steps = inner.steps
        for stream, text in inner.captured:
            if stream == "stderr":
                self.emit(self.outputs[1], text)
        self.status = ended.exit_code or 0
        if inner.elapsed:
            self._sleep(Sleep(inner.elapsed, self.status))
        return inner

    # What frames do: ``("node", tree)`` runs a tree, the others go on after a part of one has run.

    def _do_node(self, node: syntax.Command) -> None:
        getattr(self, "_run_" + type(node).__name__.lower())(node)

    def _do_sequence(self, items: tuple[tuple[syntax.Command, bool], ...], index: int) -> None:
        command, background = items[index]
        if index + 1 < len(items):
            self.frames.append(("sequence", items, index + 1))
        if background:
            self._spawn(command)
        else:
            self.frames.append(("node", command))

    def _do_and_or(self, rest: tuple[tuple[str, syntax.Command], ...]) -> None:
        while rest:
            (operator, command), rest = rest[0], rest[1:]
            if (self.status == 0) == (operator == "&&"):
                if rest:
                    self.frames.append(("and_or", rest))
                self.frames.append(("node", command))
                return

    def _do_if(self, node: syntax.If, index: int) -> None:
        if self.status == 0:
            self.frames.append(("node", node.branches[index][1]))
        elif index + 1 < len(node.branches):
            self.frames += [("if", node, index + 1), ("node", node.branches[index + 1][0])]
        else:
            self.status = 0
            if node.otherwise:
                self.frames.append(("node", node.otherwise))

    def _do_loop(self, node: syntax.Loop) -> None:
        if (self.status == 0) != node.until:
            self.frames += [("again", node), ("node", node.body)]
        else:
            self.status = 0

    def _do_again(self, node: syntax.Loop) -> None:
        self.frames += [("loop", node), ("node", node.condition)]

    def _do_for(self, name: str, words: tuple[str, ...], body: syntax.Sequence) -> None:
        if words:
            self.variables[name] = words[0]
            self.frames += [("for", name, words[1:], body), ("node", body)]

    def _do_outputs(self, outputs: tuple[str, str]) -> None:
        self.outputs = outputs

    def _do_stdin(self, stdin: str) -> None:
        self.stdin = stdin

    def _do_scope(self, variables: dict[str, str], cwd: str) -> None:
        self.variables, self.cwd = dict(variables), cwd

    def _do_parameters(self, parameters: tuple[str, ...]) -> None:
        self.parameters = parameters

    def _do_not(self) -> None:
        self.status = 0 if self.status else 1

    def _do_status(self, status: int) -> None:
        self.status = status

    def _do_words(self, argv: tuple[str, ...]) -> None:
        self._execute(argv, self.stdin)

    def _run_sequence(self, node: syntax.Sequence) -> None:
        if node.items:
            self._do_sequence(node.items, 0)

    def _run_andor(self, node: syntax.AndOr) -> None:
        self.frames += [("and_or", node.rest), ("node", node.first)]

    def _run_if(self, node: syntax.If) -> None:
        self.frames += [("if", node, 0), ("node", node.branches[0][0])]

    def _run_loop(self, node: syntax.Loop) -> None:
        self._do_again(node)

    def _run_for(self, node: syntax.For) -> None:
        words = self.parameters if node.words is None else tuple(self.expand(node.words))
        self._do_for(node.name, words, node.body)

    def _run_case(self, node: syntax.Case) -> None:
        subject = self.join(node.word)
        for patterns, body in node.arms:
            if any(fnmatch.fnmatchcase(subject, self.join(pattern)) for pattern in patterns):
                self.frames.append(("node", body))
                return
        self.status = 0

    def _run_function(self, node: syntax.Function) -> None:
        self.functions[node.name] = node.body
        self.status = 0

    def _run_group(self, node: syntax.Group) -> None:
        if node.subshell:
            self.frames.append(("scope", dict(self.variables), self.cwd))
        before, before_stdin = self.outputs, self.stdin
        if node.redirects:
            outputs, stdin = self._redirected(node.redirects)
            if outputs is None:
                self.status = 1
                return
            self.frames += [("outputs", before), ("stdin", before_stdin)]
            self.outputs, self.stdin = outputs, self.stdin if stdin is None else stdin
        self.frames.append(("node", node.body))

    def _run_pipeline(self, node: syntax.Pipeline) -> None:
        if node.negated:
            self.frames.append(("not",))
        if len(node.commands) == 1:
            self.frames.append(("node", node.commands[0]))
            return
        text = self.stdin
        for command in node.commands:
            text = self.nested(command, text).text()
        self.emit(self.outputs[0], text)

    def _run_simple(self, node: syntax.Simple) -> None:
        argv = tuple(self.expand(node.words))
        assigned = tuple((name, self.join(word)) for name, word in node.assignments)
        outputs, stdin = self._redirected(node.redirects)
        if outputs is None:
            self.status = 1
            return
        if not argv:
            self.variables.update(assigned)
            if not any(isinstance(part, syntax.Substitution) for _, word in node.assignments for part in word):
                self.status = 0
            return
        if assigned:
            self.frames.append(("scope", dict(self.variables), self.cwd))
            self.variables.update(assigned)
        if outputs != self.outputs:
            self.frames.append(("outputs", self.outputs))
            self.outputs = outputs
        self._execute(argv, self.stdin if stdin is None else stdin)

    def _execute(self, argv: tuple[str, ...], stdin: str) -> None:
        """Run one command: a function, a command of the shell itself, or a program."""
        name = argv[0]
        if name in self.functions:
            self.frames += [("parameters", self.parameters), ("node", self.functions[name])]
            self.parameters = argv[1:]
            return
        builtin = getattr(self, "_builtin_" + _BUILTINS.get(name, name), None) if _NAME.fullmatch(
            _BUILTINS.get(name, name)) else None  # fmt: skip
        if builtin:
            builtin(argv[1:])
            return
        applet = self._program(name)
        if applet is None:
            return
        out, err = self.outputs
        call = Call(argv, stdin, lambda text: self.emit(out, text), lambda text: self.emit(err, text), self)
        try:
            outcome = applet(call)
        except FileError as error:
            outcome = call.fail(str(error))
        except NetworkError as error:
            outcome = call.fail(str(error))
        self._take(outcome)

    def _take(self, outcome: Outcome) -> None:
        if isinstance(outcome, int):
            self.status = outcome
        elif isinstance(outcome, Sleep):
            self._sleep(outcome)
        elif isinstance(outcome, Serve):
            if self.at_once:
                self.elapsed = self.limit
                raise _Stop(124)
            # A shell gives its place to the last command of ``sh -c``, and only the first process gets the signal.
            last = all(frame[0] in _ENDINGS for frame in self.frames)
            self.frames.append(("status", outcome.handle_status))
            self._blocked = replace(
                self.process, wake=None, forever=True, listeners=outcome.listeners,
                handles=outcome.handles if last else frozenset(),
                memory=outcome.memory or self.process.memory,
            )  # fmt: skip
        elif outcome.script is not None:
            self._script(outcome.script, outcome.argv)
        else:
            if outcome.variables:
                self.frames.append(("scope", dict(self.variables), self.cwd))
                self.variables.update(outcome.variables)
            if outcome.argv:
                self._execute(outcome.argv, self.stdin)

    def _script(self, script: str, parameters: tuple[str, ...]) -> None:
        """Run a script as another shell would, with its own parameters and variables."""
        try:
            tree = syntax.parse(script)
        except ShellSyntaxError as error:
            self.emit(self.outputs[1], f"sh: syntax error: {error}\n")
            self.status = 2
            return
        # ``exit`` in the script ends the script only: it drops what lies above the frame ``child``.
        self.frames += [("scope", dict(self.variables), self.cwd), ("parameters", self.parameters), ("child",)]
        self.parameters = parameters
        self.frames.append(("node", tree))

    def _do_child(self) -> None:
        """The end of a script that another script runs."""

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
                raise _Stop(KILLED)
            return
        endless = sleep.forever or any(frame[0] == "again" and frame[1].endless for frame in self.frames)
        self._wait(self.system.now + sleep.micros, forever=endless)

    def _wait(self, wake: int, *, forever: bool) -> None:
        self._blocked = replace(self.process, wake=wake, forever=forever, listeners=(), handles=frozenset())

    def _spawn(self, command: syntax.Command) -> None:
        """Run a command in the background, as a process of its own."""
        process = replace(
            self.process, argv=("sh",), frames=(("node", command),), variables=dict(self.variables),
            functions=self.functions, parameters=self.parameters, traps={}, cwd=self.cwd, outputs=self.outputs,
            wake=self.system.now, listeners=(), handles=frozenset(),
        )  # fmt: skip
        if self.at_once:
            self.emit("stderr", "sh: background commands do not run here\n")
            self.status = 1
            return
        self.variables["!"] = str(self.system.spawn(process))
        self.status = 0

    # The commands of the shell itself.

    def _builtin_true(self, args: tuple[str, ...]) -> None:
        self.status = 0

    def _builtin_false(self, args: tuple[str, ...]) -> None:
        self.status = 1

    def _builtin_exit(self, args: tuple[str, ...]) -> None:
        status = int(args[0]) % 256 if args and args[0].lstrip("-").isdigit() else self.status
        for index in range(len(self.frames) - 1, -1, -1):
            if self.frames[index][0] == "child":
                self.frames = self.frames[:index]
                self.status = status
                return
        raise _Stop(status)

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
        self.parameters = self.parameters[int(args[0]) if args and args[0].isdigit() else 1 :]
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
            self.process = replace(self.process, argv=args)
            self.traps = {}
            self._execute(args, self.stdin)

    def _builtin_eval(self, args: tuple[str, ...]) -> None:
        try:
            self.frames.append(("node", syntax.parse(" ".join(args))))
        except ShellSyntaxError as error:
            self.emit(self.outputs[1], f"sh: eval: syntax error: {error}\n")
            self.status = 2

    def _builtin_wait(self, args: tuple[str, ...]) -> None:
        wanted = {int(arg) for arg in args if arg.isdigit()}
        children = [
            process for process in self.system.processes()
            if process.pid != self.process.pid and process.pid != 1 and (not wanted or process.pid in wanted)
        ]  # fmt: skip
        if children and not self.at_once:
            endless = all(child.forever for child in children)
            self._take(Sleep(SECOND // 10, again=("wait", *args), forever=endless))
        else:
            self.status = 0

    def _builtin_read(self, args: tuple[str, ...]) -> None:
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
        if args and args[0].isdigit():
            self.status = int(args[0])
        while self.frames and self.frames[-1][0] != "parameters":
            self._unwind()

    def _builtin_break(self, args: tuple[str, ...]) -> None:
        while self.frames and self._unwind() not in ("again", "for"):
            pass
        self.status = 0

    def _builtin_continue(self, args: tuple[str, ...]) -> None:
        while self.frames and self.frames[-1][0] not in ("again", "for"):
            self._unwind()
        self.status = 0

    def _unwind(self) -> str:
        """Drop a frame, but do what must be undone."""
        frame = self.frames.pop()
        if frame[0] in ("outputs", "stdin", "scope"):
            getattr(self, "_do_" + frame[0])(*frame[1:])
        return str(frame[0])

    # Redirects and expansions.

    def _redirected(self, redirects: tuple[syntax.Redirect, ...]) -> tuple[tuple[str, str] | None, str | None]:
        """The outputs and the input that redirects give; None for outputs if one cannot be opened."""
        outputs = list(self.outputs)
        stdin: str | None = None
        for redirect in redirects:
            target = self.join(redirect.target)
            if redirect.mode == "&":
                if target in ("1", "2") and redirect.fd in (1, 2):
                    outputs[redirect.fd - 1] = outputs[int(target) - 1]
                continue
            if redirect.mode == "<<":
                stdin = target
                continue
            path = self.system.files.absolute(target, self.cwd)
            try:
                if redirect.mode == "<":
                    stdin = self.system.files.read(path)
                    continue
                opened = {"/dev/null": "null", "/dev/stdout": "stdout", "/dev/stderr": "stderr",
                          "/proc/1/fd/1": "stdout", "/proc/1/fd/2": "stderr"}.get(path)  # fmt: skip
                if opened is None:
                    opened = f"file:{path}"
                    self.system.files.write(path, "", append=redirect.mode == ">>")
            except FileError as error:
                verb = "open" if redirect.mode == "<" else "create"
                why = "no such file" if redirect.mode == "<" else str(error)
                self.emit(self.outputs[1], f"sh: can't {verb} {target}: {why}\n")
                return None, None
            for fd in (1, 2) if redirect.fd == 3 else (redirect.fd,):
                if fd in (1, 2):
                    outputs[fd - 1] = opened
        return (outputs[0], outputs[1]), stdin

    def join(self, word: syntax.Word) -> str:
        """A word with its expansions, as one text."""
        return "".join(self._value(part) for part in word)

    def expand(self, words: tuple[syntax.Word, ...]) -> list[str]:
        """Words after expansion, splitting of what was not quoted, and file name patterns."""
        found: list[str] = []
        for word in words:
            found += self._fields(word)
            if len(found) > MAX_WORDS:
                self.emit(self.outputs[1], "sh: argument list too long\n")
                raise _Stop(2)
        return found

    def _fields(self, word: syntax.Word) -> list[str]:
        fields: list[str] = []
        current: str | None = None
        pattern = False
        for part in word:
            if isinstance(part, syntax.Variable) and part.name in "@*" and not part.op:
                values = list(self.parameters)
                if values:
                    fields += [(current or "") + values[0], *values[1:]]
                    current = fields.pop()
                continue
            value = self._value(part)
            if part.quoted or isinstance(part, syntax.Literal):
                pattern = pattern or (not part.quoted and any(mark in value for mark in "*?["))
                current = (current or "") + value
                continue
            pieces = value.split()
            if value[:1].isspace() and current is not None:
                fields.append(current)
                current = None
            for index, piece in enumerate(pieces):
                if index:
                    fields.append(current or "")
                    current = None
                current = (current or "") + piece
            if value[-1:].isspace() and current is not None:
                fields.append(current)
                current = None
        if current is not None:
            fields += (self._matching(current) or [current]) if pattern else [current]
        return fields

    def _matching(self, pattern: str) -> list[str]:
        """The files that a pattern names, as it names them."""
        folder, _, name = pattern.rpartition("/")
        files = self.system.files
        where = files.absolute(folder or ("/" if pattern.startswith("/") else "."), self.cwd)
        if not name or not files.is_directory(where):
            return []
        prefix = pattern[: len(pattern) - len(name)]
        return [prefix + entry for entry in files.listing(where)
                if fnmatch.fnmatchcase(entry, name) and not entry.startswith(".")]  # fmt: skip

    def _value(self, part: syntax.Part) -> str:
        if isinstance(part, syntax.Literal):
            return part.text
        if isinstance(part, syntax.Substitution):
            return self.nested(part.script, self.stdin).text().rstrip("\n")
        if isinstance(part, syntax.Arithmetic):
            return self._calculate(self.join(part.text))
        value = self._parameter(part.name)
        if part.op == "length":
            return str(len(value or ""))
        if not part.op:
            return value or ""
        return self._modified(part, value)

    def _modified(self, part: syntax.Variable, value: str | None) -> str:
        missing = not value if part.op.startswith(":") else value is None
        match part.op.lstrip(":"):
            case "-":
                return self.join(part.argument) if missing else value or ""
            case "=":
                if missing:
                    value = self.variables[part.name] = self.join(part.argument)
                return value or ""
            case "+":
                return "" if missing else self.join(part.argument)
            case "?":
                if missing:
                    message = self.join(part.argument) or "parameter not set"
                    self.emit(self.outputs[1], f"sh: {part.name}: {message}\n")
                    raise _Stop(2)
                return value or ""
        return _trimmed(value or "", part.op, self.join(part.argument))

    def _parameter(self, name: str) -> str | None:
        if name == "?":
            return str(self.status)
        if name == "$":
            return str(self.process.pid)
        if name == "#":
            return str(len(self.parameters))
        if name in "@*":
            return " ".join(self.parameters)
        if name == "0":
            return "sh"
        if name.isdigit():
            return self.parameters[int(name) - 1] if int(name) <= len(self.parameters) else None
        return self.variables.get(name)

    def _calculate(self, text: str) -> str:
        try:
            return str(calculate(text.replace("$", ""), self.variables))
        except BadExpression as error:
            self.emit(self.outputs[1], f"sh: {error}\n")
            raise _Stop(2) from None


#: How shell commands whose names are no Python names are called above; programs that the shell runs itself.
_BUILTINS: Final = {":": "true", "local": "export", "readonly": "export"}


def _trimmed(value: str, op: str, pattern: str) -> str:
    """``${v#p}``, ``${v##p}``, ``${v%p}``, ``${v%%p}``."""
    front = op.startswith("#")
    longest = len(op) == 2
    sizes = range(len(value) + 1)
    for size in reversed(sizes) if longest else sizes:
        piece = value[:size] if front else value[len(value) - size :]
        if fnmatch.fnmatchcase(piece, pattern):
            return value[size:] if front else value[: len(value) - size]
    return value
