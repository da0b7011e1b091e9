"""Watching a program that may do anything: until it ends, has had its time, or has written too much."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

_CHUNK: Final = 1 << 16


class ProgramError(Exception):
    """A program came to no result; the message is for its author, and ``line`` of their text (0: none) is where."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use: seconds (of work, and some more of waiting), bytes of memory and output, processes."""

    seconds: int = 5
    waiting: int = 5
    memory: int = 256 << 20
    output: int = 256 << 10
    processes: int = 1

    @property
    def altogether(self) -> int:
        """Seconds of work and waiting."""
        return self.seconds + self.waiting


class Ended(NamedTuple):
    """What a command has written, and its exit code."""

    out: bytes
    err: bytes
    code: int


def watched(command: Sequence[str], given: bytes, limits: Limits, environment: Mapping[str, str]) -> Ended:
    """Run a command to its end; ``ProgramError`` when it takes too long or writes too much.

    Nothing that it has started goes on afterwards.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd="/",
        start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + limits.altogether
    try:
        with _Conversation(process, given, limits.output) as conversation:
            while conversation.goes_on:
                left = end - time.monotonic()
                if left <= 0:
                    raise _too_long(limits)
                conversation.continue_for(left)
        code = process.wait(max(0.1, end - time.monotonic()))
        return Ended(bytes(conversation.out), bytes(conversation.err), code)
    except subprocess.TimeoutExpired:
        raise _too_long(limits) from None
    finally:
        _end(process)


def _too_long(limits: Limits) -> ProgramError:
    return ProgramError(f"it took longer than {limits.altogether} seconds")


class _Conversation:
    """What is written to a process and what it writes, neither of which waits for the other."""

    def __init__(self, process: subprocess.Popen[bytes], given: bytes, most: int) -> None:
        assert process.stdin and process.stdout and process.stderr
        self.out = bytearray()
        self.err = bytearray()
        self._stdin = process.stdin
        self._rest = memoryview(given)
        self._most = most
        self._ready = selectors.DefaultSelector()
        os.set_blocking(process.stdin.fileno(), False)
        self._ready.register(process.stdin, selectors.EVENT_WRITE)
        self._ready.register(process.stdout, selectors.EVENT_READ, self.out)
        self._ready.register(process.stderr, selectors.EVENT_READ, self.err)

    def __enter__(self) -> _Conversation:
        return self

    def __exit__(self, *failure: object) -> None:
        self._ready.close()

    @property
    def goes_on(self) -> bool:
        """Whether the process still listens or may write more."""
        return bool(self._ready.get_map())

    def continue_for(self, seconds: float) -> None:
        """Write and read what can be, and wait so long for that at most."""
        for key, _ in self._ready.select(seconds):
            if key.data is None:
                self._write()
            else:
                self._read(key.fd, key.data)

    def _write(self) -> None:
        try:
            self._rest = self._rest[os.write(self._stdin.fileno(), self._rest[:_CHUNK]) :]
        except BrokenPipeError:
            self._rest = self._rest[:0]
        if not self._rest:
            self._ready.unregister(self._stdin)
            self._stdin.close()

    def _read(self, stream: int, taken: bytearray) -> None:
        chunk = os.read(stream, _CHUNK)
        if not chunk:
            self._ready.unregister(stream)
        taken += chunk
        if len(taken) > self._most:
            raise ProgramError(f"it wrote more than {self._most // 1024} KiB")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it with all that it started: they are in one session, and end with the first of their namespace."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.poll()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream and not stream.closed:
            try:
                stream.close()
            except BrokenPipeError:
                continue
