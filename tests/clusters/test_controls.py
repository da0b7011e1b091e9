"""The control of a cluster that has none of its own: by its kubeconfig alone, and only for who has it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from waiting import AMPLE

from autograder.clusters import Capability, ClusterError, NotSupportedHere
from autograder.clusters.controls import MOST_SECONDS, Controls, wall_clock
from autograder.clusters.served import NotRunThere, NotServed, Refused, ServedCluster
from autograder.controlplane.fronts import kubeconfig
from autograder.controlplane.fronts.control import PREFIX


class Machine:
    """A cluster with one component, of which nobody waits in earnest."""

    spec = "machine"

    def __init__(self) -> None:
        self.off: list[str] = []

    def now(self) -> str:
        return wall_clock()

    def running(self) -> list[str]:
        return [name for name in ("clockwork",) if name not in self.off]

    def stopped(self) -> list[str]:
        return self.off

    def advance(self, seconds: float) -> float:
        return min(seconds, MOST_SECONDS)

    def settle(self) -> bool:
        return not self.off

    def stop(self, target: str) -> None:
        if target != "clockwork":
            raise ValueError(f"no component is called {target}")
        self.off.append(target)

    def start(self, target: str) -> None:
        self.off.remove(target)

    def power_off(self, target: str) -> None:
        raise NotSupportedHere(self.spec, Capability.POWER)

    def power_on(self, target: str) -> None:
        raise ClusterError("the lights are out")

    def command(self, node: str, line: str) -> dict[str, Any]:
        return {"stdout": f"{node}: {line}\n", "stderr": "", "code": 0}


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    ended: list[bool] = []
    controls = Controls(Machine(), lambda: ended.append(True))
    path = tmp_path / "config"
    kubeconfig.write(path, controls.extended(kubeconfig.document("https://127.0.0.1:1", "", None)))
    yield path
    controls.close()


def test_the_kubeconfig_is_enough(config: Path) -> None:
    served = ServedCluster(config)
    assert served.state()["cluster"] == "machine"
    assert served.state()["running"] == ["clockwork"]
    assert served.post("stop", target="clockwork")["stopped"] == ["clockwork"]
    assert served.post("settle")["quiet"] is False
    assert served.post("start", target="clockwork")["running"] == ["clockwork"]
    assert served.post("node", target="worker-1", command="ps")["stdout"] == "worker-1: ps\n"


def test_how_much_real_time_has_passed_is_said(config: Path) -> None:
    assert ServedCluster(config).post("advance", seconds=5)["passed"] == 5
    assert ServedCluster(config).post("advance", seconds=3600)["passed"] == MOST_SECONDS


def test_what_cannot_be_done_is_told_from_what_is_wrong(config: Path) -> None:
    served = ServedCluster(config)
    with pytest.raises(NotRunThere, match="cannot cut the power of a node"):
        served.post("power_off", target="worker-1")
    with pytest.raises(NotRunThere, match="only an embedded cluster can be saved"):
        served.saved()
    for name in ("writes", "decision", "trace"):
        with pytest.raises(NotRunThere, match="embedded cluster only"):
            served.post(name)
    for name, fields, why in (
        ("stop", {"target": "heart"}, "no component is called heart"),
        ("stop", {}, "`target` must be a text"),
        ("advance", {"seconds": -1}, "`seconds` must be a number"),
        ("power_on", {"target": "worker-1"}, "the lights are out"),
        ("dance", {}, "could not find"),
    ):
        with pytest.raises(Refused, match=why) as refused:
            served.post(name, **fields)
        assert not isinstance(refused.value, NotRunThere)


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer guess", "Bearer \u00fc"])
def test_nobody_else_controls_it(config: Path, token: str) -> None:
    address = ServedCluster(config)._address()
    connection = http.client.HTTPConnection(urlsplit(f"http://{address.host}:{address.port}").netloc, timeout=AMPLE)
    connection.request("POST", f"{PREFIX}stop", b'{"target": "clockwork"}', {"Authorization": token.encode("latin-1")})
    assert connection.getresponse().status == 403
    connection.close()
    assert ServedCluster(config).state()["running"] == ["clockwork"]


def test_when_it_has_ended_nobody_answers(tmp_path: Path) -> None:
    controls = Controls(Machine(), lambda: None)
    path = tmp_path / "config"
    kubeconfig.write(path, controls.extended(kubeconfig.document("https://127.0.0.1:1", "", None)))
    controls.close()
    with pytest.raises(NotServed):
        ServedCluster(path).state()
