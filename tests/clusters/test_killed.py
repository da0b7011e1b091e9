"""A checker that is killed at any point leaves nothing that the next run does not clean up."""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import DROP, LOSE_ANSWER, Fault, Proxy, proxied
from serving import serving

from autograder.clusters.connection import Connection
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.clusters.leftovers import PREFIX
from autograder.controlplane.apimachinery.scheme import NAMESPACES

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")

EXERCISE = "replicasets/three-replicas"
#: Requests of one check of it, about; points to kill it at are drawn from these.
REQUESTS = 60


class Checker:
    """Brings forth checks of the solution of an exercise (see ``checker``)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self, config: Path) -> int:
        """The number of the process that checks."""
        assert self._process.stdin is not None
        print(json.dumps({"config": str(config), "exercise": EXERCISE}), file=self._process.stdin, flush=True)
        return int(self._line())

    def end(self) -> int:
        """How it ended: its exit code, or the signal that killed it below zero."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(tmp_path_factory.mktemp("served")) as path:
        yield path


@pytest.fixture(scope="module")
def proxy(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxied(config, tmp_path_factory.mktemp("proxied")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    command = [sys.executable, str(Path(__file__).with_name("checker.py"))]
    paths = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as process:
        yield Checker(process)


def ours(config: Path) -> list[str]:
    """Our namespaces that are there, once those that are going have had time to go."""
    end = time.monotonic() + 20
    while True:
        items = json.loads(Connection(config).send("GET", NAMESPACES))["items"]
        found = [item for item in items if item["metadata"]["name"].startswith(PREFIX)]
        going = [item for item in found if item["status"]["phase"] == "Terminating"]
        if not going or time.monotonic() > end:
            return [item["metadata"]["name"] for item in found]
        time.sleep(0.1)


@pytest.mark.parametrize("seed", range(10))
def test_the_next_run_cleans_up_what_a_killed_one_left(config: Path, proxy: Proxy, checker: Checker, seed: int) -> None:
    dice = random.Random(seed)
    last, arrives = proxy.requests + dice.randrange(3, REQUESTS), dice.random() < 0.5
    victims: queue.SimpleQueue[int] = queue.SimpleQueue()

    def kill(number: int, method: str, path: str) -> Fault:
        if number == last:
            os.kill(victims.get(), signal.SIGKILL)
        return None if number < last else LOSE_ANSWER if arrives else DROP

    proxy.fault = kill
    victims.put(checker.begin(proxy.config))
    assert checker.end() in (-signal.SIGKILL, 0)  # 0: it had ended before
    proxy.fault = lambda number, method, path: None
    KubeconfigCluster.open(config, pace=QUICK).close()
    assert ours(config) == []


def test_most_of_these_points_lie_in_the_midst_of_a_check(proxy: Proxy, checker: Checker) -> None:
    before = proxy.requests
    proxy.fault = lambda number, method, path: None
    checker.begin(proxy.config)
    assert checker.end() == 0
    assert proxy.requests - before > 0.7 * REQUESTS


def test_a_run_that_goes_on_is_left_alone_by_another(config: Path, proxy: Proxy, checker: Checker) -> None:
    begin, opened = proxy.requests, []

    def meanwhile(number: int, method: str, path: str) -> Fault:
        if number in (begin + 10, begin + 25):
            KubeconfigCluster.open(config, pace=QUICK).close()
            opened.append(number)
        return None

    proxy.fault = meanwhile
    checker.begin(proxy.config)
    assert checker.end() == 0
    assert len(opened) == 2
    assert ours(config) == []
