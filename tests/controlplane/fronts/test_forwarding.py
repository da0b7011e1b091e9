"""Tunnels of port-forward: SPDY within a websocket, and what goes through it to the ports of a pod."""

from __future__ import annotations

import asyncio
import json
import re
import struct
import subprocess
import urllib.request
import zlib
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fake_cluster import TOKEN, serving, trusting
from served import KUBECTL, needs_kubectl
from served import serving as in_a_process

from autograder.controlplane.apimachinery.node_connection import HttpAnswer
from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.fronts import forwarding, spdy
from autograder.controlplane.fronts.socket import Address, SocketFront

PODS = "/api/v1/namespaces/default/pods"
SYN_STREAM, SYN_REPLY, RST_STREAM, PING = 1, 2, 3, 6
FIN = 0x01
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Client:
    """The client's side of a session: what it sends, and what it reads of what is sent to it."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(zdict=spdy.DICTIONARY)
        self._buffer = b""

    def open(self, stream: int, **headers: str) -> bytes:
        text = struct.pack(">I", len(headers))
        for pair in headers.items():
            text += b"".join(struct.pack(">I", len(word)) + word.encode() for word in pair)
        packed = self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return control(SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + packed)

    def connect(self, number: int, port: int) -> bytes:
        """The two streams of a connection; the client has nothing to say on that for errors."""
        error, data = 4 * number + 1, 4 * number + 3
        named = {"port": str(port), "requestid": str(number)}
        opened = self.open(error, streamtype="error", **named) + sent(error, b"", end=True)
        return opened + self.open(data, streamtype="data", **named)

    def read(self, data: bytes) -> list[tuple[int | str, Any]]:
        """Frames that are there as a whole: the kind of a control frame, or the stream, bytes and end of data."""
        self._buffer += data
        frames: list[tuple[int | str, Any]] = []
        while len(self._buffer) >= 8:
            first, second = struct.unpack_from(">II", self._buffer)
            length = second & 0xFFFFFF
            content, self._buffer = self._buffer[8 : 8 + length], self._buffer[8 + length :]
            if first >> 31:
                frames.append((f"control {first & 0xFFFF}", struct.unpack_from(">I", content)[0]))
            else:
                frames.append((first, (content, bool(second >> 24 & FIN))))
        return frames


def control(kind: int, content: bytes) -> bytes:
    return struct.pack(">HHI", 0x8003, kind, len(content)) + content


def sent(stream: int, data: bytes, *, end: bool = False) -> bytes:
    return struct.pack(">II", stream, (FIN if end else 0) << 24 | len(data)) + data


class FakePorts:
    """One pod: port 80 speaks HTTP, port 6379 something else, and nothing listens on others."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str, str, Mapping[str, str]]] = []

    def refusal(self, port: int) -> str:
        return "" if port in (80, 6379) else f"nothing on {port}"

    def ask(self, port: int, method: str, target: str, headers: Mapping[str, str]) -> HttpAnswer | None:
        self.asked.append((port, method, target, headers))
        return HttpAnswer(200, "OK", "text/plain", f"{method} {target}") if port == 80 else None


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def tunnel() -> forwarding.Tunnel:
    return forwarding.Tunnel(FakePorts())


def said(client: Client, tunnel: forwarding.Tunnel, data: bytes) -> list[tuple[int | str, Any]]:
    return client.read(b"".join(tunnel.feed(data)))


def http(body: str, *, close: bool = False) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: {'close' if close else 'keep-alive'}\r\n\r\n{body}".encode()


REPLIES = [("control 2", 1), ("control 2", 3)]
ENDS = [(1, (b"", True)), (3, (b"", True))]


def test_a_connection_is_two_streams_and_carries_requests(client: Client, tunnel: forwarding.Tunnel) -> None:
    assert said(client, tunnel, client.connect(0, 80)) == REPLIES
    assert said(client, tunnel, sent(3, GET)) == [(3, (http("GET /"), False))]
    assert said(client, tunnel, sent(3, b"", end=True)) == ENDS


def test_bytes_come_in_any_pieces(client: Client, tunnel: forwarding.Tunnel) -> None:
    whole = client.connect(0, 80) + sent(3, GET)
    frames = [frame for at in range(len(whole)) for frame in said(client, tunnel, whole[at : at + 1])]
    assert frames == [*REPLIES, (3, (http("GET /"), False))]


def test_a_body_is_read_to_its_end(client: Client, tunnel: forwarding.Tunnel) -> None:
    said(client, tunnel, client.connect(0, 80))
    post = b"POST /form HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
    assert said(client, tunnel, sent(3, post + b"he")) == []
    both = [(3, (http("POST /form"), False)), (3, (http("GET /"), False))]
    assert said(client, tunnel, sent(3, b"llo" + GET)) == both


def test_who_wants_no_more_is_let_go(client: Client, tunnel: forwarding.Tunnel) -> None:
    said(client, tunnel, client.connect(0, 80))
    asked = sent(3, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert said(client, tunnel, asked) == [(3, (http("GET /", close=True), False)), *ENDS]


def test_why_nothing_listens_is_said_on_the_stream_for_errors(client: Client, tunnel: forwarding.Tunnel) -> None:
    assert said(client, tunnel, client.connect(0, 81)) == [*REPLIES, (1, (b"nothing on 81", True)), (3, (b"", True))]


def test_what_does_not_speak_http_says_nothing(client: Client, tunnel: forwarding.Tunnel) -> None:
    said(client, tunnel, client.connect(0, 6379))
    assert said(client, tunnel, sent(3, b"PING\r\n\r\n")) == ENDS


@pytest.mark.parametrize("request_", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"])
def test_what_is_no_request_is_a_bad_one(client: Client, tunnel: forwarding.Tunnel, request_: bytes) -> None:
    said(client, tunnel, client.connect(0, 80))
    first, *rest = said(client, tunnel, sent(3, request_))
    assert first[1][0].startswith(b"HTTP/1.1 400 Bad Request\r\n") and rest == ENDS


def test_connections_do_not_disturb_each_other(client: Client, tunnel: forwarding.Tunnel) -> None:
    said(client, tunnel, client.connect(0, 80) + client.connect(1, 80))
    assert said(client, tunnel, sent(7, GET) + control(RST_STREAM, struct.pack(">II", 3, 5))) == [
        (7, (http("GET /"), False)), *ENDS,
    ]  # fmt: skip
    assert said(client, tunnel, sent(3, GET) + sent(7, GET)) == [(7, (http("GET /"), False))]


@pytest.mark.parametrize("port", ["", "0", "65536", "x"])
def test_a_stream_without_a_port_is_refused(client: Client, tunnel: forwarding.Tunnel, port: str) -> None:
    opened = client.open(1, streamtype="error", port=port, requestid="0")
    assert said(client, tunnel, opened) == [("control 3", 1)]


def test_a_ping_comes_back(client: Client, tunnel: forwarding.Tunnel) -> None:
    assert said(client, tunnel, control(PING, struct.pack(">I", 7))) == [("control 6", 7)]


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">HHI", 0x8002, SYN_STREAM, 0),
        struct.pack(">HHI", 0x8003, SYN_STREAM, spdy.FRAME_LIMIT + 1),
        control(SYN_STREAM, b"\0"),
        control(SYN_STREAM, b"\0" * 10 + b"not packed"),
        control(SYN_STREAM, b"\0" * 10 + zlib.compress(b"\0" * (spdy.HEADERS_LIMIT + 1))),
    ],
    ids=["another version", "too long", "too short", "not packed", "a bomb"],
)
def test_what_is_no_spdy_ends_the_tunnel(tunnel: forwarding.Tunnel, data: bytes) -> None:
    with pytest.raises(spdy.ProtocolError):
        list(tunnel.feed(data))


# ---------------------------------------------------------------- a cluster


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A pod of nginx runs, and one is not scheduled."""
    cluster = Cluster()
    for name, more in (("web", {}), ("waits", {"schedulerName": "none"})):
        spec = {"containers": [{"name": "c", "image": "nginx:1.27"}], **more}
        body: Any = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}).encode()
        headers = {"content-type": "application/json"}
        assert cluster.handle(Request("POST", PODS, {}, headers, body, ADMIN)).code == 201
    cluster.advance(10)
    return cluster


def connected(
    cluster: Cluster, pod: str, scenario: Callable[[aiohttp.ClientWebSocketResponse], Coroutine[Any, Any, None]]
) -> None:
    """Play a scenario on the tunnel to a pod."""

    async def connect(address: Address, front: SocketFront) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connector = aiohttp.TCPConnector(ssl=trusting(address))
        async with (
            aiohttp.ClientSession(address.url, headers=headers, connector=connector) as http,
            http.ws_connect(f"{PODS}/{pod}/portforward", protocols=[forwarding.PROTOCOL]) as socket,
        ):
            await scenario(socket)

    serving(cluster.fork(), connect)


def test_a_page_of_a_pod_comes_through_a_websocket(cluster: Cluster) -> None:
    async def scenario(socket: aiohttp.ClientWebSocketResponse) -> None:
        assert socket.protocol == forwarding.PROTOCOL
        client, page = Client(), b""
        await socket.send_bytes(client.connect(0, 80) + sent(3, GET))
        async with asyncio.timeout(120):
            while b"</html>" not in page:
                for stream, content in client.read(await socket.receive_bytes()):
                    page += content[0] if stream == 3 else b""
        assert page.startswith(b"HTTP/1.1 200 OK\r\n") and b"Welcome to nginx!" in page

    connected(cluster, "web", scenario)


def test_why_a_port_cannot_be_reached_is_said_as_containerd_says_it(cluster: Cluster) -> None:
    async def scenario(socket: aiohttp.ClientWebSocketResponse) -> None:
        client, why = Client(), b""
        await socket.send_bytes(client.connect(0, 81))
        async with asyncio.timeout(120):
            while not why:
                for stream, content in client.read(await socket.receive_bytes()):
                    why += content[0] if stream == 1 else b""
        assert why.startswith(b"error forwarding port 81 to pod ")
        assert b"IPv4: dial tcp4 127.0.0.1:81: connect: connection refused" in why

    connected(cluster, "web", scenario)


@pytest.mark.parametrize(
    ("pod", "code", "message"),
    [("waits", 400, "pod waits does not have a host assigned"), ("nobody", 404, 'pods "nobody" not found')],
)
def test_a_pod_that_does_not_run_has_no_ports(cluster: Cluster, pod: str, code: int, message: str) -> None:
    answer = cluster.handle(Request("GET", f"{PODS}/{pod}/portforward", {}, {}, b"", ADMIN))
    assert (answer.code, answer.body["message"]) == (code, message)


@needs_kubectl
def test_kubectl_forwards_to_a_pod(tmp_path: Path) -> None:
    assert KUBECTL is not None
    with in_a_process(tmp_path) as served:
        served.kubectl("run web --image=nginx:1.27 --port=80")
        served.kubectl("wait --for=condition=Ready pod/web --timeout=120s")
        command = [KUBECTL, "--kubeconfig", str(served.kubeconfig), "port-forward", "pod/web", ":80"]
        forward = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert forward.stdout is not None
            port = re.search(r"127\.0\.0\.1:(\d+) -> 80", forward.stdout.readline())
            assert port is not None
            for _ in range(2):
                with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/", timeout=120) as page:
                    assert b"Welcome to nginx!" in page.read()
        finally:
            forward.terminate()
            forward.communicate(timeout=120)
        assert served.kubectl("logs web").count('"GET / HTTP/1.1" 200') == 2
