"""The student's cluster: found again, saved, loaded, and clear about trouble."""

from __future__ import annotations

import json

import pytest

from autograder.notebook import kubectl
from autograder.notebook.home import Home
from autograder.notebook.server import ClusterTrouble, StudentCluster


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
