"""What autograder doctor says of this machine, and of one on which nothing is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.cli import main
from autograder.clusters import doctor
from autograder.clusters.doctor import PROGRAMS, kinds, report


def test_the_command_reports_and_is_content(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "--cluster embedded: ready" in out
    assert all(f"  {name}" in out for name in PROGRAMS)


def test_what_is_missing_is_told_with_how_to_get_it() -> None:
    needs = kinds(lambda name: None)
    missing = {need.what: need.get for need in needs["kind[:NAME]"] if not need.met}
    assert "kind.sigs.k8s.io" in missing["kind"]
    assert "docker" in missing["docker or podman"]
    assert all(need.get for found in needs.values() for need in found if not need.met)


@pytest.mark.parametrize(("count", "met"), [("128\n", False), ("512\n", True), ("8192\n", True)])
def test_too_few_inotify_instances_are_told_since_kind_does_not(
    count: str, met: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "INOTIFY", tmp_path / "instances")
    doctor.INOTIFY.write_text(count)
    (need,) = (one for one in kinds(lambda name: None)["kind[:NAME]"] if "inotify" in one.what)
    assert need.met is met
    assert need.found == count.strip()


def test_a_program_that_fails_or_hangs_is_not_waited_for(tmp_path: Path) -> None:
    for name, script in (("docker", "exit 1"), ("kind", "echo kind v9.9.9"), ("etcd", "exec sleep 600")):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    lines = list(report(lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None))
    assert any("kind v9.9.9" in line for line in lines)
    assert any("does not answer" in line for line in lines if "docker or podman" in line)
    assert any("does not say its version" in line for line in lines if line.strip().startswith("etcd "))
