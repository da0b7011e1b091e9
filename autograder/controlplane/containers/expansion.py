"""Words and redirects of a command, as a shell expands them before it runs the command."""

from __future__ import annotations

import fnmatch
from abc import ABC, abstractmethod
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.containers import patterns, tree
from autograder.controlplane.containers.arithmetic import BadExpression, calculate
from autograder.controlplane.containers.calls import Stop, System
from autograder.controlplane.containers.files import FileError
from autograder.controlplane.containers.records import Process

MAX_WORDS: Final = 10_000
#: Characters of a word, and of all words of a command together; a real shell asks for memory until there is none.
MAX_TEXT: Final = 1_000_000


class Expansion(ABC):
    """The part of a shell that knows variables, parameters and files."""

    process: Process
    system: System
    variables: dict[str, str]
    parameters: tuple[str, ...]
    outputs: tuple[str, str]
    stdin: str
    cwd: str
    status: int

    @abstractmethod
    def emit(self, output: str, text: str) -> None:
        """Write to an output: a stream, a file, or nowhere."""

    @abstractmethod
    def output_of(self, command: tree.Command, stdin: str | None = None) -> str:
        """What a command prints when it is run at once; it reads what the shell reads, or ``stdin``."""

    def redirected(self, redirects: tuple[tree.Redirect, ...]) -> tuple[tuple[str, str] | None, str | None]:
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

    def join(self, word: tree.Word) -> str:
        """A word with its expansions, as one text."""
        return self._bounded("".join(self._value(part) for part in word))

    def expand(self, words: tuple[tree.Word, ...]) -> list[str]:
        """Words after expansion, splitting of what was not quoted, and file name patterns."""
        found: list[str] = []
        size = 0
        for word in words:
            fields = self._fields(word)
            size += sum(map(len, fields))
            found += fields
            if len(found) > MAX_WORDS or size > MAX_TEXT:
                self.emit(self.outputs[1], "sh: argument list too long\n")
                raise Stop(2)
        return found

    def _bounded(self, text: str) -> str:
        if len(text) > MAX_TEXT:
            self.emit(self.outputs[1], "sh: out of memory\n")
            raise Stop(2)
        return text

    def _fields(self, word: tree.Word) -> list[str]:
        fields: list[str] = []
        current: str | None = None
        pattern = False
        for part in word:
            if isinstance(part, tree.Variable) and part.name in "@*" and not part.op:
                values = list(self.parameters)
                if values:
                    fields += [(current or "") + values[0], *values[1:]]
                    current = fields.pop()
                continue
            value = self._value(part)
            if part.quoted or isinstance(part, tree.Literal):
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

    def _value(self, part: tree.Part) -> str:
        if isinstance(part, tree.Literal):
            return part.text
        if isinstance(part, tree.Substitution):
            return self.output_of(part.script).rstrip("\n")
        if isinstance(part, tree.Arithmetic):
            return self._calculate(self.join(part.text))
        value = self._parameter(part.name)
        if part.op == "length":
            return str(len(value or ""))
        if not part.op:
            return value or ""
        return self._modified(part, value)

    def _modified(self, part: tree.Variable, value: str | None) -> str:
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
                    raise Stop(2)
                return value or ""
        trim = patterns.without_prefix if part.op.startswith("#") else patterns.without_suffix
        return trim(value or "", self.join(part.argument), longest=len(part.op) == 2)

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
            number = integers.read(name)
            return self.parameters[number - 1] if number and number <= len(self.parameters) else None
        return self.variables.get(name)

    def _calculate(self, text: str) -> str:
        try:
            return str(calculate(text.replace("$", ""), self.variables))
        except BadExpression as error:
            self.emit(self.outputs[1], f"sh: {error}\n")
            raise Stop(2) from None
