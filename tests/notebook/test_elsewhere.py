"""Notebooks on other clusters: what is compared there, what is skipped with a reason, and a lesson from end to end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from serving import serving

from autograder.clusters.connection import Connection
from autograder.clusters.local.control_plane import NAMES
from autograder.clusters.programs import on_path
from autograder.controlplane.apimachinery.scheme import NAMESPACES

ROOT: Final = Path(__file__).parents[2]
SANITIZE: Final = ROOT / "tools" / "nbval_sanitize.cfg"
NBVAL: Final = (
    sys.executable, "-m", "pytest", "-o", "addopts=", "-p", "autograder._fastimport", "-p", "no:cacheprovider",
    "-p", "autograder.notebook.elsewhere", "--nbval-lax", "--nbval-sanitize-with", str(SANITIZE),
    "--nbval-current-env", "--nbval-cell-timeout", "240", "--color=no", "-q", "-rs",
)  # fmt: skip
LESSON: Final = "12-resourcequotas"


def run(notebook: Path, spec: str = "embedded") -> subprocess.CompletedProcess[str]:
    """Run a notebook as ``make test-notebooks-lax CLUSTER=SPEC`` does."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTOGRADER_CLUSTER": spec}
    return subprocess.run([*NBVAL, str(notebook)], env=environment, cwd=ROOT, capture_output=True, text=True)


# ---------------------------------------------------------------- what is left of outputs


def sanitized(text: str) -> str:
    pairs = re.findall(r"^regex: (.*)\nreplace: (.*)$", SANITIZE.read_text(encoding="utf-8"), re.MULTILINE)
    for regex, replace in pairs:  # as nbval reads them
        text = re.sub(regex, replace, text)
    return text


@pytest.mark.parametrize(
    ("embedded", "elsewhere"),
    [
        ("web-7d876db474-228v2   1/1   Running   0     3s", "web-55c559c89b-x7k2p   1/1   Running   0   2m13s"),
        ("web-7d876db474   3", "web-55c559c89b   3"),
        ("10.244.2.3   worker-2", "10.0.113.17   autograder-worker2"),
        ("kube-proxy-d5mdw   1/1", "kube-proxy-m7bhk   1/1"),
        ('"uid": "2c0e9a5e-6f0d-4f5e-9c57-06cbb6a3f0d1"', '"uid": "aaaaaaaa-6f0d-4f5e-9c57-06cbb6a3f0d2"'),
        ("at 2026-01-01T09:00:05Z", "at 2027-11-30T23:59:59Z"),
        ("80:30080/TCP", "80:31999/TCP"),
        ("NAME   READY\nweb    1/1", "NAME           READY\nweb            1/1   "),
        ("4d20h", "5s"),
        ("IP: 10.244.2.6\nHost: web\n", "IP: 10.244.1.3\nIP: ::1\nIP: fe80::1cd7:a0ff:fea5:f2a1\nHost: web\n"),
    ],
)
def test_what_differs_from_cluster_to_cluster_is_left_out(embedded: str, elsewhere: str) -> None:
    assert sanitized(embedded) == sanitized(elsewhere)


@pytest.mark.parametrize(
    ("embedded", "elsewhere"),
    [
        ("web-7d876db474-228v2   1/1   Running", "web-7d876db474-228v2   0/1   Pending"),
        ("web-7d876db474-228v2   1/1", "api-7d876db474-228v2   1/1"),
        ("deployment.apps/shop created", "deployment.apps/shop configured"),
        ("replicas: 3", "replicas: 4"),
        ("pods  2  2", "pods  1  2"),
        ("nginx:1.27", "nginx:1.28"),
        ('namespaces "dev" not found', 'namespaces "prod" not found'),
    ],
)
def test_what_must_hold_is_kept(embedded: str, elsewhere: str) -> None:
    assert sanitized(embedded) != sanitized(elsewhere)


# ---------------------------------------------------------------- what becomes of a cell


def cell(source: str, kept: str, *, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    """A code cell that printed ``kept`` when the notebook was made."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": kept}]
    return {
        "cell_type": "code", "source": source, "outputs": outputs, "execution_count": 1, "id": "only",
        "metadata": {"tags": list(tags)},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        pytest.param(cell("print('a 3s')", "a 5s\n", tags=("nbval-check-output",)), "1 passed", id="same"),
        pytest.param(cell("print('a')", "b\n", tags=("nbval-check-output",)), "1 failed", id="must hold"),
        pytest.param(cell("print('a')", "b\n"), "1 passed", id="need not hold"),
        pytest.param(cell("1 / 0", ""), "1 failed", id="breaks"),
        pytest.param(
            cell("import sys; print('not run there: no power', file=sys.stderr)", "x", tags=("nbval-check-output",)),
            "1 skipped", id="not run there",
        ),
    ],
)  # fmt: skip
def test_a_cell_holds_or_is_skipped_or_fails(one: dict[str, Any], counts: str, tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {"cells": [one], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    nbformat.write(nbformat.from_dict(document), path)
    ran = run(path)
    assert counts in ran.stdout.splitlines()[-1], ran.stdout
    assert ("no power" in ran.stdout) == (counts == "1 skipped")


# ---------------------------------------------------------------- a lesson


def judged(ran: subprocess.CompletedProcess[str]) -> tuple[int, int, int]:
    """How many cells ran, were not run there, and printed what they had to."""
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    found = re.search(r"(\d+) cells ran, (\d+) not run there\n(\d+) printed the same", ran.stdout)
    assert found, ran.stdout
    return int(found[1]), int(found[2]), int(found[3])


def test_a_lesson_runs_in_a_room_of_somebody_elses_cluster(tmp_path: Path) -> None:
    with serving(tmp_path) as config:
        ran, not_run, same = judged(run(ROOT / "course/source" / LESSON / f"{LESSON}.ipynb", f"kubeconfig:{config}"))
        spaces = json.loads(Connection(config).send("GET", NAMESPACES))["items"]
    assert (ran >= 25, not_run, same >= 20) == (True, 0, True)
    left = [one["metadata"]["name"] for one in spaces if one["status"]["phase"] == "Active"]
    assert not [name for name in left if name.startswith("autograder-")]


@pytest.mark.needs("etcd and Kubernetes")
@pytest.mark.timeout(600)
def test_a_lesson_runs_on_a_real_control_plane() -> None:
    missing = [name for name in NAMES if on_path(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)} on PATH")
    ran, not_run, same = judged(run(ROOT / "course/source" / LESSON / f"{LESSON}.ipynb", "local"))
    assert (ran >= 25, not_run, same >= 20) == (True, 0, True)
