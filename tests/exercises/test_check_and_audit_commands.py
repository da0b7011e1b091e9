"""The command lines of check and audit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import main, read


@pytest.fixture
def answer(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "answer.yaml"
    path.write_text((folder / "solution.yaml").read_text().replace("{{ name }}", "settings").replace("{{ size }}", "3"))
    return path


def test_full_marks(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "topic/settings", str(answer)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "topic/settings: 3 of 3 points (graded)"


def test_less_than_full_marks_says_what_where_and_why(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer.write_text(answer.read_text().replace("blue", "red"))
    assert main(["check", "topic/settings", str(answer)]) == 1
    out = capsys.readouterr().out
    for part in (
        "FAIL colour (0/1): answer.yaml:6:11: ",
        "wanted: blue",
        "found: red",
        "why: Colours matter.",
        "2 of 3",
    ):
        assert part in out


def test_json(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "topic/settings", str(answer), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert list(verdict) == ["exercise", "status", "earned", "possible", "criteria"]
    assert {tuple(result) for result in verdict["criteria"]} == {
        ("name", "earned", "possible", "message", "wanted", "found", "where", "why")
    }


def test_versions_are_told_on_demand_and_change_no_points(answer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer.write_text(answer.read_text().replace("apiVersion: v1", "apiVersion: v1\nimmutible: true", 1))
    assert main(["check", "topic/settings", str(answer)]) == 1
    plain = capsys.readouterr().out
    assert main(["check", "topic/settings", str(answer), "--versions"]) == 1
    told = capsys.readouterr().out
    assert told.startswith(plain.rstrip())
    assert "Versions of Kubernetes\nanswer.yaml:1: v1 ConfigMap settings: refused by 1.25-1.37\n" in told
    assert main(["check", "topic/settings", str(answer), "--versions", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["versions"]["objects"][0]["refused"][0] == "1.25"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["topic/nothing", "ANSWER"], "there is no exercise 'topic/nothing'"),
        (["topic/settings", "missing.yaml"], "there is no file missing.yaml"),
        (["topic/settings", "."], ". is no file"),
        (["topic/settings", "/dev/zero"], "/dev/zero is no file"),
        (["topic/settings", "ANSWER", "--cluster", "kubeconfig"], "a kubeconfig file has to be named"),
        (["topic/settings", "ANSWER", "--cluster", "cloud"], "no cluster is known as 'cloud'"),
    ],
)
def test_what_cannot_be_judged(
    answer: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *(str(answer) if argument == "ANSWER" else argument for argument in arguments)]) == 2
    assert said in capsys.readouterr().err


def test_two_files_of_one_name_are_both_read(answer: Path, tmp_path: Path) -> None:
    other = tmp_path / "more" / "answer.yaml"
    other.parent.mkdir()
    other.write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n")
    assert main(["check", "topic/settings", str(other), str(answer)]) == 0


def test_the_audit_prints_figures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "topic/settings"]) == 0
    out = capsys.readouterr().out
    assert "topic/settings" in out
    assert "mutation score 100.0%" in out
    assert "false rejects 0.0%" in out


def test_the_audit_fails_with_findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "old.yaml").touch()
    assert main(["audit"]) == 1
    assert "old.yaml belongs to no part of an exercise" in capsys.readouterr().out


def test_starting_up_imports_no_cluster() -> None:
    code = (
        "import sys, autograder.cli as cli; cli.parser(); "
        "print([name for name in sys.modules if 'controlplane' in name or name == 'yaml' or 'jsonschema' in name])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("cluster", "workers"), [("kind", 1), ("kind:course", 1), ("local", 4), ("kubeconfig:kind.yaml", 4)]
)
def test_a_kind_cluster_has_one_worker_since_all_would_miss_what_one_answer_stops(cluster: str, workers: int) -> None:
    assert read(["audit", "--cluster", cluster, "--workers", "4"]).workers == workers
