"""``autograder cluster serve --etcd``: kubectl on one side of a real etcd, etcdctl on the other."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from served import KUBECTL, Served, serving

from autograder.cli import main

pytestmark = pytest.mark.needs("etcd")

if shutil.which("etcd") is None:
    pytest.skip("etcd is not installed", allow_module_level=True)
pytest.importorskip("etcd3gw", reason="the extra `etcd` is not installed")
if KUBECTL is None:
    pytest.skip("kubectl is not installed", allow_module_level=True)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, "--etcd") as server:
        yield server


def etcd_of(served: Served) -> tuple[int, str]:
    """The process of the server's etcd, and where it listens."""
    children = subprocess.run(["ps", "-wweo", "pid,ppid,args"], text=True, capture_output=True, check=True).stdout
    for line in children.splitlines():
        if "etcd" in line and line.split()[1] == str(served.process.pid):
            endpoint = re.search(r"--listen-client-urls=(\S+)", line)
            assert endpoint
            return int(line.split()[0]), endpoint[1]
    raise AssertionError("the server has no etcd")


def eventually(attempt: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            attempt()
            return
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@pytest.mark.skipif(shutil.which("etcdctl") is None, reason="etcdctl is not installed")
def test_etcdctl_shows_what_the_cluster_holds(served: Served) -> None:
    served.kubectl("create configmap mine --from-literal=a=b")
    _, endpoint = etcd_of(served)

    def etcdctl(*arguments: str) -> str:
        environment = dict(os.environ, ETCDCTL_API="3", no_proxy="127.0.0.1")
        command = ["etcdctl", f"--endpoints={endpoint}", *arguments]
        return subprocess.run(command, env=environment, text=True, capture_output=True, check=True, timeout=120).stdout

    keys = etcdctl("get", "/", "--prefix", "--keys-only").split()
    expected = {"/registry/namespaces/default", "/registry/minions/worker-1", "/registry/configmaps/default/mine"}
    assert expected <= set(keys)
    assert json.loads(etcdctl("get", "--print-value-only", "/registry/configmaps/default/mine"))["data"] == {"a": "b"}
    etcdctl("del", "/registry/configmaps/default/mine")
    eventually(lambda: served.kubectl("get configmap mine", code=1))


def test_without_its_etcd_a_cluster_fails_as_a_real_one_and_loses_nothing(served: Served) -> None:
    served.kubectl("create configmap before")
    process, _ = etcd_of(served)
    os.kill(process, signal.SIGSTOP)
    said = served.kubectl("create configmap while", code=1)
    assert said == "error: failed to create configmap: etcdserver: request timed out\n"
    os.kill(process, signal.SIGCONT)
    eventually(lambda: served.kubectl("create configmap after"))
    names = {line[0] for line in served.table("get configmaps")}
    assert {"before", "after"} <= names
    os.kill(process, signal.SIGKILL)
    eventually(lambda: served.kubectl("create configmap late", code=1))
    said = served.kubectl("get configmaps", code=1)
    assert said.startswith("Error from server: rpc error: code = Unavailable desc = connection error")


def test_a_binary_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster", "serve", "--kubeconfig", str(tmp_path / "config"), "--etcd", "no-such-etcd"]) == 2
    assert "no no-such-etcd was found; install Debian's package etcd-server" in capsys.readouterr().err
