"""Commands of ``autograder`` in processes that can be killed; this one only brings them forth, so each begins at once.

Reads lines of JSON (``arguments``, and ``temporary``, where temporary files are), forks a process that runs the command
and prints its number, which is that of its group too; and when it has ended, how.  The command takes the cluster for a
quick one.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from dataclasses import replace

from autograder.cli import main
from autograder.clusters import kubeconfig

WARM = ("autograder.exercises.commands", "autograder.exercises", "autograder.grading.batch", "kubernetes.client",
        "nbgrader.converters")  # fmt: skip


def run(arguments: list[str], temporary: str) -> int:
    """The exit code of a command, whose output nobody reads."""
    os.setsid()
    os.environ["TMPDIR"] = tempfile.tempdir = temporary
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return main(arguments)


def serve() -> None:
    """Serve until standard input ends."""
    kubeconfig.PATIENT = replace(kubeconfig.QUICK, longest_wait=120)
    for name in WARM:
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if not process:
            sys.exit(run(asked["arguments"], asked["temporary"]))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
