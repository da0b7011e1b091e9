"""The student's cluster: found again, saved, loaded, and clear about trouble."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.notebook import kubectl
from autograder.notebook.home import Home
from autograder.notebook.server import CHOSEN, CannotDo, ClusterTrouble, StudentCluster


def test_without_a_cluster_it_is_said_how_to_get_one(home: Home) -> None:
    with pytest.raises(ClusterTrouble, match="%cluster new"):
        StudentCluster(home).state()


def test_what_is_left_of_a_cluster_is_none(home: Home) -> None:
    home.state.mkdir(exist_ok=True)
    home.kubeconfig.write_text("clusters: []")
    with pytest.raises(ClusterTrouble, match="cannot be read"):
        StudentCluster(home).state()
    assert not StudentCluster(home).is_there()


def test_a_cluster_is_found_again_saved_and_loaded(home: Home) -> None:
    first = StudentCluster(home)
    first.new()
    kubectl.run(["create", "namespace", "kept"], home)
    later = StudentCluster(home)  # as after a restart of the kernel
    assert later.state() == first.state()
    saved = home.state / "saved"
    saved.write_text(json.dumps(later.saved()))
    kubectl.run(["create", "namespace", "lost"], home)
    before = first.state()
    assert later.load(saved)["now"] == before["now"]
    names = kubectl.run(["get", "namespaces", "-o", "name"], home).out.split()
    assert "namespace/kept" in names
    assert "namespace/lost" not in names
    later.end()
    assert not later.is_there()
    assert not first.is_there()
    first.end()


def test_a_cluster_that_does_not_start_says_why(home: Home) -> None:
    home.state.mkdir(exist_ok=True)
    broken = home.state / "broken"
    broken.write_text("{}")
    cluster = StudentCluster(home)
    with pytest.raises(ClusterTrouble, match="no saved cluster"):
        cluster.load(broken)
    cluster.end()


def test_which_cluster_is_wanted(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHOSEN, raising=False)
    monkeypatch.chdir(tmp_path)
    cluster = StudentCluster(home)
    assert cluster.wanted() == "embedded"
    (home.state / "spec").write_text("local\n")  # what `%cluster new local` leaves
    assert cluster.wanted() == "local"
    monkeypatch.setenv(CHOSEN, "kubeconfig:class.yaml#lab")
    assert cluster.wanted() == f"kubeconfig:{tmp_path / 'class.yaml'}#lab"


def test_only_an_embedded_cluster_begins_from_a_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOSEN, "local")
    with pytest.raises(CannotDo, match=r"^not run there: only an embedded cluster can begin from a file"):
        StudentCluster(home).load(home.state / "saved")
