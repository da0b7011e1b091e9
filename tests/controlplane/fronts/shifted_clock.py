"""Run a program, and all that it starts, on another day: ``python shifted_clock.py SECONDS COMMAND...``.

kubectl is linked statically and reads the clock without a system call, so that no preloaded library reaches it.  The
program is therefore traced.  The page from which clocks are read without a system call (vDSO) is hidden from it, a
filter stops it at each question for the time of day, and the answer is given here.  Timers and timeouts go by the
monotonic clock, which stays as it is.  Linux on x86-64 only.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

_PEEK, _POKE, _CONT, _GETREGS, _SETREGS, _SEIZE, _LISTEN = 2, 5, 7, 12, 13, 0x4206, 0x4208
#: Follow threads and children, stop after exec and at what the filter traces; end with the tracer.
_OPTIONS: Final = 0x2 | 0x4 | 0x8 | 0x10 | 0x80 | 0x100000
_EVENT_EXEC, _EVENT_SECCOMP, _EVENT_STOP = 4, 7, 128
_WALL: Final = 0x40000000

_GETTIMEOFDAY, _TIME, _CLOCK_GETTIME = 96, 201, 228
#: The time of day, and the same in coarse steps.
_DAY_CLOCKS: Final = (0, 5)
#: What a filter says of a system call.
_ALLOW, _STOP = 0x7FFF0000, 0x7FF00000
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _BY_FILTER = 38, 22, 2
_AT_NULL, _AT_IGNORE, _AT_SYSINFO_EHDR = 0, 1, 33

#: Words of ``struct user_regs_struct``.
_REGISTERS: Final = 27
_RAX, _RSI, _RDI, _ORIG_RAX, _RSP = 10, 13, 14, 15, 19

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long

Registers = ctypes.c_ulonglong * _REGISTERS


def why_not() -> str:
    """What is missing for it here; empty if nothing is."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "Linux on x86-64"
    tried = subprocess.run(
        command(3_000_000_000, [sys.executable, "-c", "import time; print(time.time() > 4e9)"]),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if tried.stdout.strip() == "True" else "the right to trace a process (ptrace)"


def command(seconds: int, words: Sequence[str]) -> list[str]:
    """The command that runs another one so much later; a negative number is earlier."""
    return [sys.executable, __file__, str(seconds), *words]


def run(words: Sequence[str], seconds: int) -> int:
    """Run a command with the time of day shifted; returns its exit code, when all that it started has ended."""
    child = os.fork()
    if not child:
        _become(words)
    os.waitpid(child, os.WUNTRACED)
    _ptrace(_SEIZE, child, 0, _OPTIONS)
    os.kill(child, signal.SIGCONT)
    code = 1
    while True:
        try:
            thread, status = os.waitpid(-1, _WALL)
        except ChildProcessError:
            return code
        if not os.WIFSTOPPED(status):
            if thread == child:
                code = os.waitstatus_to_exitcode(status)
            continue
        try:
            _go_on(thread, status, seconds)
        except ProcessLookupError:  # it was killed meanwhile
            continue


def _become(words: Sequence[str]) -> NoReturn:
    """Wait to be traced, then be the command, with the filter."""
    os.kill(os.getpid(), signal.SIGSTOP)
    load, equal, give = (
        0x20,
        0x15,
        0x06,
    )  # the word at; if it equals, skip so many rows, else so many; what becomes of it
    program = [
        (load, 0, 0, 0),  # which system call?
        (equal, 5, 0, _GETTIMEOFDAY),
        (equal, 4, 0, _TIME),
        (equal, 0, 4, _CLOCK_GETTIME),
        (load, 0, 0, 16),  # of which clock?
        (equal, 1, 0, _DAY_CLOCKS[0]),
        (equal, 0, 1, _DAY_CLOCKS[1]),
        (give, 0, 0, _STOP),
        (give, 0, 0, _ALLOW),
    ]
    rows = b"".join(struct.pack("HBBI", *row) for row in program)
    buffer = ctypes.create_string_buffer(rows)
    filter_ = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    if (
        _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        or _libc.prctl(_SET_SECCOMP, _BY_FILTER, ctypes.c_char_p(filter_), 0, 0)
    ):  # fmt: skip
        os._exit(126)
    os.execvp(words[0], [*words])


def _go_on(thread: int, status: int, seconds: int) -> None:
    """Deal with what stopped a thread, and let it go on."""
    sent, event = os.WSTOPSIG(status), status >> 16
    if event == _EVENT_SECCOMP:
        _answer(thread, seconds)
    elif event == _EVENT_EXEC:
        _hide_vdso(thread)
    elif event == _EVENT_STOP and sent != signal.SIGTRAP:
        _ptrace(_LISTEN, thread, 0, 0)
        return
    _ptrace(_CONT, thread, 0, 0 if event else sent)


def _answer(thread: int, seconds: int) -> None:
    """Answer a question for the time of day instead of the kernel."""
    registers = _registers(thread)
    asked, now = registers[_ORIG_RAX], time.time_ns() + seconds * 1_000_000_000
    whole, rest = divmod(now, 1_000_000_000)
    registers[_RAX] = whole if asked == _TIME else 0
    if asked == _CLOCK_GETTIME:
        _write(thread, registers[_RSI], whole, rest)
    elif asked == _GETTIMEOFDAY and registers[_RDI]:
        _write(thread, registers[_RDI], whole, rest // 1000)
    elif asked == _TIME and registers[_RDI]:
        _write(thread, registers[_RDI], whole)
    registers[_ORIG_RAX] = 2**64 - 1  # the kernel is not asked
    _ptrace(_SETREGS, thread, 0, ctypes.addressof(registers))


def _hide_vdso(thread: int) -> None:
    """A program that has just begun finds no page with clocks: argc, argv, environment and then pairs are its stack."""
    at = _registers(thread)[_RSP]
    at += 8 * (_read(thread, at) + 2)
    while _read(thread, at):
        at += 8
    at += 8
    while (key := _read(thread, at)) != _AT_NULL:
        if key == _AT_SYSINFO_EHDR:
            _write(thread, at, _AT_IGNORE)
        at += 16


def _registers(thread: int) -> ctypes.Array[ctypes.c_ulonglong]:
    registers = Registers()
    _ptrace(_GETREGS, thread, 0, ctypes.addressof(registers))
    return registers


def _read(thread: int, at: int) -> int:
    with Path("/proc", str(thread), "mem").open("rb", buffering=0) as memory:
        memory.seek(at)
        word: int = struct.unpack("Q", memory.read(8))[0]
        return word


def _write(thread: int, at: int, *words: int) -> None:
    for number, word in enumerate(words):
        _ptrace(_POKE, thread, at + 8 * number, word)


def _ptrace(request: int, thread: int, at: int, data: int) -> None:
    if _libc.ptrace(request, thread, at, data) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    sys.exit(run(sys.argv[2:], int(sys.argv[1])))
