"""autograder cluster advance, stop and so on, for a cluster that another terminal serves."""

from __future__ import annotations

from pathlib import Path

import pytest
from serving import serving

from autograder.cli import main


def test_a_served_cluster_is_moved_from_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(tmp_path, clock="manual") as config:

        def run(*words: str) -> str:
            assert main(["cluster", *words, "--kubeconfig", str(config)]) == 0
            return capsys.readouterr().out

        start = run("status").splitlines()[0]
        assert start.startswith("clock    2026-01-01T09:00")
        assert run("settle").splitlines()[0] == start
        assert run("advance", "3600").splitlines()[0].startswith("clock    2026-01-01T10:00")
        assert "stopped  kube-scheduler" in run("stop", "kube-scheduler")
        assert "stopped  -" in run("start", "kube-scheduler")
        run("power-off", "worker-1")
        run("power-on", "worker-1")
        assert main(["cluster", "power-off", "worker-9", "--kubeconfig", str(config)]) == 2
        assert "worker-9" in capsys.readouterr().err


def test_without_a_cluster_the_exit_code_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster", "status", "--kubeconfig", str(tmp_path / "none")]) == 2
    assert "there is no cluster yet" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["soon", "-1", "inf", "nan"])
def test_seconds_are_a_number(tmp_path: Path, seconds: str) -> None:
    with pytest.raises(SystemExit):
        main(["cluster", "advance", seconds, "--kubeconfig", str(tmp_path)])


@pytest.mark.parametrize(
    ("spec", "option", "why"),
    [
        ("kubeconfig:theirs", [], "theirs"),
        ("minikube", [], "no cluster is known as 'minikube'"),
        ("local:3", [], "no cluster is known as 'local:3'"),
        ("local", ["--clock", "manual"], "--clock means nothing"),
        ("kubeconfig:theirs", ["--without", "kubelet"], "--without means nothing"),
    ],
)
def test_what_cannot_be_served_is_said(
    spec: str, option: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(tmp_path / "config")
    assert main(["cluster", "serve", "--cluster", spec, "--kubeconfig", config, *option]) == 2
    assert why in capsys.readouterr().err
