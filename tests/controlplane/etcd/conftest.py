"""The stores that are held to one specification: the one in this process, and a real etcd where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from autograder.controlplane.etcd import MemoryStore, Store
from autograder.controlplane.etcd.process import EtcdProcess


def stamp(value: Any, revision: int) -> Any:
    return {**value, "revision": revision}


def bare(value: Any) -> Any:
    return {name: field for name, field in value.items() if name != "revision"}


@pytest.fixture(scope="session")
def etcd() -> Iterator[EtcdProcess]:
    """A private etcd for all tests of a worker."""
    if shutil.which("etcd") is None:
        pytest.skip("etcd is not installed")
    pytest.importorskip("etcd3gw", reason="the extra `etcd` is not installed")
    with EtcdProcess() as process:
        yield process


def emptied(process: EtcdProcess) -> Any:
    """A store over an etcd from which everything has been removed."""
    from autograder.controlplane.etcd.remote import EtcdStore

    process.start()
    store = EtcdStore("127.0.0.1", process.port, stamp, bare)
    for key in list(store.keys()):
        store.delete(key, expected=None)
    return store


@pytest.fixture(params=["memory", pytest.param("etcd", marks=pytest.mark.needs("etcd"))])
def make_store(request: pytest.FixtureRequest) -> Iterator[Callable[[], Store]]:
    """Makes empty stores of one kind."""
    if request.param == "memory":
        yield lambda: MemoryStore(stamp)
        return
    process = request.getfixturevalue("etcd")
    with ExitStack() as opened:

        def make() -> Store:
            opened.close()
            store = emptied(process)
            opened.callback(store.close)
            return store

        yield make


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    return make_store()
