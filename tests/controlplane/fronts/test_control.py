"""What there is under ``/autograder/v1/``: the clock, the components, saving, shutting down."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.fronts.control import MOST_SECONDS, PREFIX, Control
from autograder.controlplane.fronts.journal import FORMAT, RecordedCluster


@pytest.fixture(scope="module")
def control() -> Control:
    """The control of a cluster that is not shut down."""
    return Control(RecordedCluster(), lambda: None)


def ask(control: Control, method: str, name: str, **fields: Any) -> tuple[int, Any]:
    """One request: code and body."""
    response = control.handle(Request(method, PREFIX + name, {}, {}, json.dumps(fields).encode(), ADMIN))
    return response.code, response.body


def test_time_passes_when_asked_to(control: Control) -> None:
    before = ask(control, "GET", "cluster")[1]["now"]
    assert before.startswith("2026-01-01T09:00:")
    code, state = ask(control, "POST", "advance", seconds=90)
    assert (code, state["now"] > before) == (200, True)


def test_components_stop_and_start(control: Control) -> None:
    assert "kube-scheduler" in ask(control, "POST", "stop", target="kube-scheduler")[1]["stopped"]
    assert "kube-scheduler" in ask(control, "POST", "start", target="kube-scheduler")[1]["running"]


def test_the_api_server_stops_too_and_control_goes_on(control: Control) -> None:
    assert "kube-apiserver" in ask(control, "POST", "stop", target="kube-apiserver")[1]["stopped"]
    assert "kube-apiserver" in ask(control, "POST", "start", target="kube-apiserver")[1]["running"]


def test_a_command_runs_on_a_node(control: Control) -> None:
    command = "ls /etc/kubernetes/manifests | head -1; nonsense"
    code, done = ask(control, "POST", "node", target="control-plane", command=command)
    assert (code, done) == (200, {"stdout": "etcd.yaml\n", "stderr": "sh: nonsense: not found\n", "code": 127})


def test_the_journal_can_be_fetched(control: Control) -> None:
    assert ask(control, "GET", "saved")[1]["format"] == FORMAT


@pytest.mark.parametrize(
    ("method", "name", "fields", "said"),
    [
        ("POST", "advance", {}, "seconds"),
        ("POST", "advance", {"seconds": -1}, "seconds"),
        ("POST", "advance", {"seconds": True}, "seconds"),
        ("POST", "advance", {"seconds": "5"}, "seconds"),
        ("POST", "advance", {"seconds": MOST_SECONDS + 1}, "seconds"),
        ("POST", "stop", {}, "target"),
        ("POST", "stop", {"target": "kube-chaos"}, "kube-chaos"),
        ("POST", "power_off", {"target": "nowhere"}, "nowhere"),
        ("POST", "node", {"target": "nowhere", "command": "true"}, "nowhere"),
        ("POST", "node", {"target": "worker-1"}, "command"),
    ],
)
def test_what_cannot_be_done_is_said(
    control: Control, method: str, name: str, fields: dict[str, Any], said: str
) -> None:
    code, status = ask(control, method, name, **fields)
    assert (code, status["reason"]) == (400, "BadRequest")
    assert said in status["message"]


@pytest.mark.parametrize(("method", "name"), [("GET", "advance"), ("POST", "cluster"), ("POST", "fork"), ("GET", "")])
def test_there_is_nothing_else(control: Control, method: str, name: str) -> None:
    assert ask(control, method, name)[0] == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(control: Control, body: bytes) -> None:
    assert control.handle(Request("POST", f"{PREFIX}advance", {}, {}, body, ADMIN)).code == 400


def test_shutting_down_is_left_to_the_server() -> None:
    ended = asyncio.Event()
    assert ask(Control(RecordedCluster(), ended.set), "POST", "shutdown")[0] == 200
    assert ended.is_set()
