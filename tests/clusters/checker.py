"""Checks of answers in processes that can be killed; this one only brings them forth, so that each begins at once.

Reads lines of JSON (kubeconfig, exercise), forks a process that judges the solution as ``autograder check`` does, and
prints its number and, when it has ended, how.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.exercises import Runner, load


def check(config: str, name: str) -> int:
    """0 for full marks."""
    exercise = load(name)
    cluster = KubeconfigCluster.open(Path(config), pace=replace(QUICK, longest_wait=2))
    try:
        verdict = Runner(cluster).judge(exercise, exercise.answer(exercise.solution))
    finally:
        cluster.close()
    return 0 if verdict.is_full else 1


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if not process:
            code = 2
            try:
                code = check(asked["config"], asked["exercise"])
            finally:
                os._exit(code)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
