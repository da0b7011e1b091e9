"""The way from simulated containers to a real etcd."""

from __future__ import annotations

import shutil
import socket

import pytest
from waiting import AMPLE, comes

from autograder.clusters.local import store as module
from autograder.clusters.local.store import EtcdOnDemand
from autograder.controlplane.etcd.process import EtcdProcess

KEY = "/registry/pods/default/web"
POD = {"kind": "Pod", "metadata": {"name": "web"}}


def test_an_etcd_that_is_away_is_no_store() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert EtcdOnDemand("127.0.0.1", nobody.getsockname()[1])() is None


@pytest.mark.needs("etcd")
def test_the_connection_is_opened_when_it_is_needed_and_given_up_when_it_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("etcd3gw", reason="the extra `etcd` is not installed")
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed")
    with EtcdProcess() as etcd:
        ask = EtcdOnDemand("127.0.0.1", etcd.port)
        store = ask()
        assert store is not None
        assert ask() is store
        store.put(KEY, POD, expected=None)
        monkeypatch.setattr(module, "IDLE", 0.05)
        ask()
        assert comes(lambda: ask._store is None)
        monkeypatch.setattr(module, "IDLE", AMPLE)
        again = ask()
        assert again is not None
        assert again is not store
        assert [kv.key for kv in again.range("")] == [KEY]
        ask.close()
