"""While commands of an answer run, nobody else on this machine can reach the cluster that they work on."""

from __future__ import annotations

import json
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from autograder.clusters import kubectl, open_cluster
from autograder.clusters.embedded import EmbeddedCluster
from autograder.exercises.command_lines import read
from autograder.exercises.terminal import SERVER, Terminal


def run(terminal: Terminal, *texts: str) -> list[str]:
    """Run command lines; what was printed."""
    cluster = open_cluster("embedded")
    assert isinstance(cluster, EmbeddedCluster)
    lines, problems = read("\n".join(texts), "answer.txt")
    assert not problems
    ran = terminal.run(cluster, lines, {}, namespace="default", source="answer.txt", pods=10, seconds=60)
    return [one.out + one.err for one in ran]


def test_another_user_of_the_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody finds who tries every port of this machine in that moment."""
    found: dict[str, int] = {}
    modes: dict[str, int] = {}
    real = kubectl.run

    def watched(args: list[str], *, kubeconfig: Path, **given: object) -> kubectl.Ran:
        server = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        root, _, secret = server.rpartition("/")
        assert len(secret) >= 32
        modes["kubeconfig"] = stat.S_IMODE(kubeconfig.stat().st_mode)
        modes["home"] = stat.S_IMODE(kubeconfig.parent.stat().st_mode)
        for name, base in (("stranger", root), ("guess", f"{root}/{'x' * len(secret)}"), ("grader", server)):
            for path in ("/api/v1/pods", "/api/v1/secrets", "/apis/apps/v1/deployments"):
                try:
                    with urllib.request.urlopen(base + path) as answer:
                        found[f"{name} {path}"] = answer.status
                except urllib.error.HTTPError as error:
                    found[f"{name} {path}"] = error.code
        body = json.dumps({"metadata": {"name": "planted"}}).encode()
        planting = urllib.request.Request(f"{root}/api/v1/namespaces/default/configmaps", body)
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(planting)
        return real(args, kubeconfig=kubeconfig, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(kubectl, "run", watched)
    (said,) = run(Terminal(), "kubectl get configmaps")
    assert "planted" not in said
    assert "kube-root-ca.crt" in said
    assert modes == {"kubeconfig": 0o600, "home": 0o700}
    for who, code in found.items():
        assert code == (200 if who.startswith("grader") else 403 if who.startswith("stranger") else 404) or (
            who.startswith("guess") and code == 403
        )


def test_the_address_of_the_cluster_is_in_no_output() -> None:
    shown, late = run(Terminal(), "kubectl cluster-info", "kubectl get pods --request-timeout=1ns")
    assert SERVER in shown
    assert "127.0.0.1" not in shown + late


def test_two_terminals_say_the_same() -> None:
    lines = ("kubectl cluster-info", "kubectl create configmap a", "kubectl get configmap a -o yaml")
    assert run(Terminal(), *lines) == run(Terminal(), *lines)
