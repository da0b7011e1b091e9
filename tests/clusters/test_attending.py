"""A cluster of ours in the hands of one student: stopped, started, waited for, and put back."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from ours import Powers
from waiting import AMPLE

from autograder.clusters import ClusterError, NotSupportedHere
from autograder.clusters.attending import Owned, pause
from autograder.clusters.owned import OwnedConnection
from autograder.clusters.relay import OpenGate, Relay
from autograder.clusters.translation import Translation


@pytest.fixture
def cluster(config: Path, powers: Powers) -> Owned:
    return Owned("served", OwnedConnection(config), powers, running=powers.running)


def test_what_was_stopped_is_known_and_put_back(cluster: Owned, powers: Powers) -> None:
    cluster.stop("kube-scheduler")
    cluster.power_off("worker-1")
    assert cluster.stopped() == ["kube-scheduler"]
    assert "kube-scheduler" not in cluster.running()
    cluster.put_back()
    assert cluster.stopped() == []
    assert "kube-scheduler" in powers.running()


def test_what_others_need_is_put_back_first(cluster: Owned, powers: Powers) -> None:
    for component in ("kube-scheduler", "kube-apiserver", "etcd"):
        cluster.stop(component)
    cluster.put_back()
    assert powers.started == ["etcd", "kube-apiserver", "kube-scheduler"]


def test_a_cluster_settles_when_all_of_its_own_is_ready(cluster: Owned) -> None:
    assert cluster.settle()
    cluster.stop("kube-scheduler")
    assert cluster.settle()  # nobody waits for what is off on purpose
    cluster.start("kube-scheduler")


def test_a_cluster_that_has_broken_down_says_so(cluster: Owned, powers: Powers) -> None:
    powers.broken = "etcd has ended: no space left"
    for act in (cluster.settle, lambda: cluster.advance(1)):
        with pytest.raises(ClusterError, match="no space left"):
            act()


def test_where_there_is_no_shell_that_is_said(cluster: Owned) -> None:
    with pytest.raises(NotSupportedHere, match="give a shell on its nodes"):
        cluster.command("worker-1", "ps")


def test_kubectl_is_refused_a_connection_while_the_api_server_is_stopped(config: Path, powers: Powers) -> None:
    connection = OwnedConnection(config)
    relay = Relay(config, connection.context, Translation(), OpenGate(), "secret", 0)
    where = urlsplit(relay.url)
    cluster = Owned("served", connection, powers, relay=relay)
    cluster.stop("kube-apiserver")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(where.hostname), where.port or 0), AMPLE)
    cluster.put_back()
    with urlopen(f"{relay.url}/api/v1/namespaces/default/pods", timeout=AMPLE) as answer:
        assert answer.status == 200
    relay.close()


def test_real_time_passes_a_minute_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    assert [pause(5), pause(3600)] == slept == [5, 60]
