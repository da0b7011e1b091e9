"""The audit of commands and predictions finds what is wrong with them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.clusters import Cluster
from autograder.exercises import command_variants, load
from autograder.exercises.audit import Auditor
from autograder.exercises.loading import exercises_root


@pytest.fixture(scope="session")
def auditor(warm: Cluster) -> Auditor:
    return Auditor(warm, warm.fork())


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with a copy of an exercise of each kind, which a test may spoil."""
    for name in ("deployments/roll-out", "scheduler/no-scheduler"):
        shutil.copytree(exercises_root() / name, tmp_path / name)
    monkeypatch.setenv("AUTOGRADER_EXERCISES", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("deployments/roll-out/solution.txt", "kubectl rollout status deployment/{{ name }}",
         "kubectl label deployment {{ name }} a=b", "mutant (without 'kubectl label deployment shop a=b') is wrong"),
        ("deployments/roll-out/solution.txt", "web=", "other=", "solution earns 2 of 6"),
        ("deployments/roll-out/starter.txt", "get deployment {{ name }}", "scale deployment {{ name }} --replicas=4",
         "the starter earns 2"),
        ("deployments/roll-out/checks.py", '.equals(review.values["replicas"])', ".at_least(3)",
         "mutant (kubectl scale deployment shop --replicas=5) is wrong and earns 6"),
        ("deployments/roll-out/mutants/not-scaled.txt", "loses: replicas", "loses: image", "loses replicas (graded)"),
        ("scheduler/no-scheduler/solution.yaml", "Pending", "Running", "solution earns 4 of 5"),
        ("scheduler/no-scheduler/experiment.py", '"created": len(pods)', '"made": len(pods)', "says nothing about"),
        ("scheduler/no-scheduler/task.md", "difficulty: easy\n", "", "does not say how difficult"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(auditor: Auditor, copied: Path, file: str, old: str, new: str, finding: str) -> None:
    path = copied / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    findings = auditor.audit(load(file.rpartition("/")[0].removesuffix("/mutants"))).findings
    assert any(finding in found for found in findings), findings


def test_every_value_and_every_line_of_commands_is_tried_otherwise() -> None:
    made = dict(command_variants.wrong(
        "kubectl get pods\nkubectl scale rs web --replicas 3 --timeout=9s\nkubectl run a --image=b:1 -- sleep 3=4\n"
    ))  # fmt: skip
    assert list(made) == [
        "without 'kubectl scale rs web --replicas 3 --timeout=9s'",
        "kubectl scale rs web --replicas 4 --timeout=9s",
        "without 'kubectl run a --image=b:1 -- sleep 3=4'",
        "kubectl run a --image=b:9.99 -- sleep 3=4",
    ]
