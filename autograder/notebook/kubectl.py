"""kubectl for a student: what is typed after ``%kubectl``, run in the folder of answers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from autograder.clusters import kubectl, shell_words
from autograder.clusters.kubectl import Ran
from autograder.notebook.home import Home

#: Seconds after which a command that does not end (a watch, a followed log) is stopped.
TIMEOUT: Final = 60.0
#: Characters of output that are shown of one command.
MOST: Final = 4 * 1024 * 1024
#: What `kubectl wait` logs if it has what it waits for before the answer to its own watch has come.
_OWN_END: Final = re.compile(r"^E\d{4} .* reflector\.go:\d+\] \"Failed to watch\" .*context canceled.*\n", re.MULTILINE)


class NotAShell(ValueError):
    """A command line asks for what only a shell can do; the message says so, and what to do instead."""


def arguments(line: str) -> list[str]:
    """The arguments of a command line, with quotes as in a shell.  Raises ``NotAShell``."""
    try:
        words = shell_words.split(line)
    except ValueError as error:
        raise NotAShell(str(error)) from None
    for word in words:
        if shell_words.is_of_shell(word):
            raise NotAShell(
                f"%kubectl runs kubectl itself and no shell, so `{word}` has no meaning here; run one command a line, "
                "quote the sign if it is part of an argument, or use a terminal"
            )
        if shell_words.is_substitution(word):
            raise NotAShell("%kubectl runs kubectl itself and no shell, so `$(...)` has no meaning here")
    return words[1:] if words[:1] == ["kubectl"] else words


def run(args: list[str], home: Home, *, stdin: str = "", timeout: float = TIMEOUT) -> Ran:
    """Run kubectl in the folder of answers.  Stops it after ``timeout`` seconds, or when the kernel is interrupted."""
    home.kubectl.mkdir(parents=True, exist_ok=True)
    home.work.mkdir(parents=True, exist_ok=True)
    ran = kubectl.run(
        args, kubeconfig=home.kubeconfig, home=home.kubectl, folder=home.work, stdin=stdin, timeout=timeout, most=MOST,
        interruptible=True,
    )  # fmt: skip
    return replace(ran, err=without_own_end(ran.err))


def without_own_end(err: str) -> str:
    """What kubectl complains of, but for a watch that it has given up itself."""
    return _OWN_END.sub("", err)


def environment(home: Home) -> dict[str, str]:
    """All that kubectl sees of its surroundings."""
    return kubectl.environment(home.kubeconfig, home.kubectl)
