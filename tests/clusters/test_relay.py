"""The way for kubectl to a cluster of ours: who has the address gets through, as far as the gate lets him."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from waiting import AMPLE

from autograder.clusters.connection import Connection
from autograder.clusters.kind.names import NodeTranslation
from autograder.clusters.relay import BODY_LIMIT, Relay
from autograder.clusters.translation import Translation
from autograder.clusters.upstream import TIMEOUTS, Upstream
from autograder.controlplane.apimachinery.errors import Forbidden, StatusError
from autograder.controlplane.apimachinery.scheme import PODS as PODS_KIND
from autograder.controlplane.apimachinery.wire import Request

PODS = "/api/v1/namespaces/default/pods"


class Gate:
    """Lets through what is not about secrets, and notes what was answered."""

    def __init__(self) -> None:
        self.passed: list[tuple[str, int]] = []
        self.headers: Mapping[str, str] = {}

    def refusal(self, request: Request) -> StatusError | None:
        self.headers = request.headers
        return Forbidden("no secrets") if request.path.endswith("/secrets") else None

    def answered(self, request: Request, code: int) -> None:
        self.passed.append((request.method, code))


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def relay(config: Path, gate: Gate) -> Iterator[Relay]:
    relay = Relay(config, Connection(config).context, Translation(), gate, "secret", 0)
    yield relay
    relay.close()


def ask(
    relay: Relay, path: str, method: str = "GET", body: Any = None, prefix: str = "/secret", **headers: str
) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    connection = http.client.HTTPConnection(urlsplit(relay.url).netloc, timeout=AMPLE)
    data = None if body is None else json.dumps(body)
    connection.request(method, prefix + path, data, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def test_the_cluster_answers_whoever_has_the_address(relay: Relay, gate: Gate) -> None:
    code, found = ask(relay, PODS)
    assert (code, found["kind"]) == (200, "PodList")
    assert gate.passed == [("GET", 200)]


@pytest.mark.parametrize("prefix", ["", "/guess", "/secre", "/secretary"])
def test_others_are_refused(relay: Relay, gate: Gate, prefix: str) -> None:
    assert ask(relay, PODS, prefix=prefix)[0] == 403
    assert not gate.passed


def test_what_the_gate_refuses_does_not_get_there(relay: Relay, gate: Gate) -> None:
    code, status = ask(relay, "/api/v1/namespaces/default/secrets")
    assert (code, status["message"]) == (403, "no secrets")
    assert not gate.passed


def test_what_our_own_control_plane_has_not_cannot_be_changed(relay: Relay, gate: Gate) -> None:
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    code, status = ask(relay, hooks, "POST", {"kind": "ValidatingWebhookConfiguration"})
    assert (code, status["reason"]) == (404, "NotFound")
    assert not gate.passed


def test_what_is_refused_there_is_refused_here(relay: Relay) -> None:
    code, status = ask(relay, f"{PODS}/missing")
    assert (code, status["message"]) == (404, 'pods "missing" not found')


def test_a_watch_tells_what_happens_as_it_happens(relay: Relay) -> None:
    connection = http.client.HTTPConnection(urlsplit(relay.url).netloc, timeout=AMPLE)
    connection.request("GET", "/secret/api/v1/namespaces/default/configmaps?watch=1&fieldSelector=metadata.name%3Dnews")
    answer = connection.getresponse()
    ask(relay, "/api/v1/namespaces/default/configmaps", "POST", {"metadata": {"name": "news"}})
    assert json.loads(answer.readline())["object"]["metadata"]["name"] == "news"
    connection.close()


@pytest.mark.parametrize(
    ("headers", "code"), [({"Content-Length": str(BODY_LIMIT + 1)}, 413), ({"Upgrade": "websocket"}, 501)]
)
def test_too_much_and_what_it_does_not_speak_is_refused(relay: Relay, headers: dict[str, str], code: int) -> None:
    assert ask(relay, PODS, "POST", **headers)[0] == code


def test_a_server_that_is_away_is_said_to_be(tmp_path: Path, config: Path, gate: Gate) -> None:
    nowhere = tmp_path / "config"
    server = next(line for line in config.read_text().splitlines() if "server:" in line)
    nowhere.write_text(config.read_text().replace(server.split()[-1].strip('",'), "https://127.0.0.1:9"))
    relay = Relay(nowhere, Connection(nowhere).context, Translation(), gate, "secret", 0)
    code, status = ask(relay, PODS)
    assert code == 503
    assert status["message"] == "the API server does not answer: nobody listens at the address of the server"
    relay.close()


def test_a_server_that_thinks_long_is_waited_for(config: Path) -> None:
    waits = Upstream(config, Connection(config).context).timeout
    assert (waits.connect_timeout, waits.read_timeout) == TIMEOUTS


def test_a_kubeconfig_leads_there(relay: Relay) -> None:
    found = relay.kubeconfig("class", "anna")
    assert found["clusters"][0]["cluster"]["server"] == relay.url
    assert found["contexts"] == [{"name": "class", "context": {"cluster": "class", "user": "anna"}}]
    assert relay.kubeconfig("room", "ben", "dev")["contexts"][0]["context"]["namespace"] == "dev"


def test_nodes_are_called_as_exercises_know_them(config: Path, gate: Gate) -> None:
    names = NodeTranslation({"worker-9": "worker-1", "head": "control-plane"})
    relay = Relay(config, Connection(config).context, names, gate, "secret", 0)
    try:
        assert ask(relay, "/api/v1/nodes/worker-9")[1]["metadata"]["name"] == "worker-9"
        found = ask(relay, "/api/v1/nodes")[1]["items"]
        assert {node["metadata"]["name"] for node in found} == {"head", "worker-9", "worker-2"}
        pods = ask(relay, "/api/v1/pods?fieldSelector=spec.nodeName%3Dworker-9")[1]["items"]
        assert {pod["spec"]["nodeName"] for pod in pods} == {"worker-9"}
        system = "/api/v1/namespaces/kube-system/pods"
        assert ask(relay, f"{system}/etcd-head")[1]["metadata"]["name"] == "etcd-head"
        (pod,) = ask(relay, f"{system}?fieldSelector=metadata.name%3Detcd-head")[1]["items"]
        assert pod["spec"]["nodeName"] == "head"
        pod = {"metadata": {"name": "there"}, "spec": {"nodeName": "worker-9",
               "containers": [{"name": "main", "image": "nginx:1.27"}]}}  # fmt: skip
        assert ask(relay, PODS, "POST", pod)[0] == 201
        stored = json.loads(Connection(config).send("GET", PODS_KIND, "default", "there"))
        assert stored["spec"]["nodeName"] == "worker-1"
    finally:
        relay.close()


def test_a_header_that_is_said_twice_is_one_with_both_values(relay: Relay, gate: Gate) -> None:
    connection = http.client.HTTPConnection(urlsplit(relay.url).netloc, timeout=AMPLE)
    connection.putrequest("GET", f"/secret{PODS}")
    for protocol in ("v5.channel.k8s.io", "v4.channel.k8s.io"):
        connection.putheader("X-Stream-Protocol-Version", protocol)
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()
    assert gate.headers["x-stream-protocol-version"] == "v5.channel.k8s.io, v4.channel.k8s.io"


def test_a_body_in_chunks_is_read(relay: Relay) -> None:
    connection = http.client.HTTPConnection(urlsplit(relay.url).netloc, timeout=AMPLE)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "chunked"},
           "spec": {"containers": [{"name": "app", "image": "nginx:1.27"}]}}  # fmt: skip
    text = json.dumps(pod).encode()
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"/secret{PODS}", iter([text[:40], text[40:]]), headers, encode_chunked=True)
    assert connection.getresponse().status == 201
    connection.close()


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"-1\r\n", b"ffffffff\r\n"])
def test_a_body_in_chunks_is_bounded(relay: Relay, chunk: bytes) -> None:
    with socket.create_connection(
        (urlsplit(relay.url).hostname, urlsplit(relay.url).port), timeout=AMPLE
    ) as connection:
        head = f"POST /secret{PODS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + chunk)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
