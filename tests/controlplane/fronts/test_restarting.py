"""``kubectl rollout restart`` gives the same names on any day, and each restart is a rollout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import shifted_clock
from served import KUBECTL, needs_kubectl, serving

pytestmark = needs_kubectl
RESTART = ["rollout", "restart", "deployment/web"]
DAY = 86_400


def restart_twice(folder: Path, days: int) -> list[str]:
    """A Deployment restarted twice by a kubectl whose clock goes ahead so many days: the names of its ReplicaSets."""
    with serving(folder, "--clock", "manual") as server:
        server.kubectl("create deployment web --image=nginx:1.27")
        for _ in range(2):
            words = [str(KUBECTL), f"--kubeconfig={server.kubeconfig}", *RESTART]
            command = shifted_clock.command(days * DAY, words) if days else words
            subprocess.run(command, check=True, capture_output=True, env={**os.environ, "HOME": str(folder)})
        return server.kubectl("get replicasets -o name").split()


def test_each_restart_is_a_rollout_even_if_no_time_passes_between(tmp_path: Path) -> None:
    assert len(restart_twice(tmp_path, 0)) == 3


@pytest.mark.needs("ptrace")
def test_replicasets_have_the_same_names_on_another_day(tmp_path: Path) -> None:
    if missing := shifted_clock.why_not():
        pytest.skip(f"needs {missing}")
    folders = [tmp_path / "today", tmp_path / "later"]
    for folder in folders:
        folder.mkdir()
    today, later = (restart_twice(folder, days) for folder, days in zip(folders, (0, 300), strict=True))
    assert today == later
