"""Being connected to a container of a cluster over its socket: to its program, or to a shell beside that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
from fake_cluster import TOKEN, serving, trusting

from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.fronts.pacing import Mode
from autograder.controlplane.fronts.socket import Address, SocketFront

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
POD = "/api/v1/namespaces/default/pods/box"
STDIN, STDOUT, ERROR, CLOSE = 0, 1, 3, 255

Scenario = Callable[["Client"], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def booted() -> Cluster:
    return Cluster()


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def box(cluster: Cluster, *command: str, **fields: Any) -> None:
    """A pod of one BusyBox that runs."""
    container = {"name": "c", "image": "busybox:1.36", **({"command": list(command)} if command else {}), **fields}
    spec = {"containers": [container], "restartPolicy": "Never"}
    body: Any = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "box"}, "spec": spec}).encode()
    cluster.client().create(PODS, "default", body)
    cluster.advance(3)


class Client:
    """A client with a websocket, and what has come over each channel."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.received: dict[int, bytes] = {}

    async def type(self, text: str) -> None:
        await self.socket.send_bytes(bytes([STDIN]) + text.encode())

    async def end(self) -> None:
        await self.socket.send_bytes(bytes([CLOSE, STDIN]))

    async def sees(self, text: str) -> None:
        """Wait until a text has been printed."""
        while text.encode() not in self.received.get(STDOUT, b""):
            message = await self.socket.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, (message, self.received)
            self._take(message.data)

    async def status(self) -> Any:
        """Wait for the end; the last word of the server."""
        async for message in self.socket:
            self._take(message.data)
        return json.loads(self.received[ERROR])

    def _take(self, data: bytes) -> None:
        self.received[data[0]] = self.received.get(data[0], b"") + data[1:]


def connected(cluster: Cluster, path: str, scenario: Scenario, mode: Mode = "manual") -> None:
    """Run a scenario with a client that is connected."""

    async def run(address: Address, front: SocketFront) -> None:
        connector = aiohttp.TCPConnector(ssl=trusting(address))
        async with (
            aiohttp.ClientSession(address.url, headers=HEADERS, connector=connector) as http,
            http.ws_connect(path, protocols=["v5.channel.k8s.io"]) as socket,
        ):
            await scenario(Client(socket))

    serving(cluster, run, mode)


def test_a_shell_that_is_attached_to_answers_each_line(cluster: Cluster) -> None:
    box(cluster, stdin=True, stdinOnce=True)

    async def scenario(client: Client) -> None:
        await client.type("hostname\n")
        await client.sees("box\n")
        await client.type("x=1\necho x is $x\n")
        await client.sees("x is 1\n")
        await client.end()
        assert (await client.status())["status"] == "Success"

    connected(cluster, f"{POD}/attach?stdin=true&stdout=true&stderr=true", scenario)
    assert cluster.client().get(PODS, "default", "box")["status"]["phase"] == "Succeeded"


def test_a_client_may_type_in_messages_of_text(cluster: Cluster) -> None:
    box(cluster, stdin=True)

    async def scenario(client: Client) -> None:
        await client.socket.send_str("\x00echo text\n")
        await client.sees("text\n")

    connected(cluster, f"{POD}/attach?stdin=true&stdout=true", scenario)


def test_a_terminal_shows_what_is_typed(cluster: Cluster) -> None:
    box(cluster, stdin=True, tty=True)

    async def scenario(client: Client) -> None:
        await client.sees("/ # ")
        for key in "pwd\r":
            await client.type(key)
        await client.sees("pwd\r\n/\r\n/ # ")
        await client.type("\x04")
        assert (await client.status())["status"] == "Success"

    connected(cluster, f"{POD}/attach?stdin=true&stdout=true&tty=true", scenario)


def test_who_only_looks_sees_the_rest_of_what_is_printed(cluster: Cluster) -> None:
    box(cluster, "sh", "-c", "echo before; sleep 30; echo after; exit 3")

    async def scenario(client: Client) -> None:
        assert (await client.status())["status"] == "Success"
        assert client.received[STDOUT] == b"after\n"

    connected(cluster, f"{POD}/attach?stdout=true&stderr=true", scenario)


def test_a_client_that_leaves_ends_a_shell_that_is_typed_to_once(cluster: Cluster) -> None:
    box(cluster, stdin=True, stdinOnce=True)

    async def scenario(client: Client) -> None:
        await client.type("echo hi\n")
        await client.sees("hi\n")

    connected(cluster, f"{POD}/attach?stdin=true&stdout=true", scenario)
    cluster.advance(2)
    assert cluster.client().get(PODS, "default", "box")["status"]["phase"] == "Succeeded"


def test_a_client_that_leaves_leaves_other_shells_alone(cluster: Cluster) -> None:
    box(cluster, stdin=True)

    async def scenario(client: Client) -> None:
        await client.type("echo hi\n")
        await client.sees("hi\n")

    for _ in range(2):
        connected(cluster, f"{POD}/attach?stdin=true&stdout=true", scenario)
    assert cluster.client().get(PODS, "default", "box")["status"]["phase"] == "Running"


def test_an_attached_client_does_not_keep_a_server_from_closing(cluster: Cluster) -> None:
    box(cluster, stdin=True)

    async def run(address: Address, front: SocketFront) -> None:
        connector = aiohttp.TCPConnector(ssl=trusting(address))
        async with (
            aiohttp.ClientSession(address.url, headers=HEADERS, connector=connector) as http,
            http.ws_connect(f"{POD}/attach?stdin=true", protocols=["v5.channel.k8s.io"]) as socket,
        ):
            closing = asyncio.create_task(front.close())
            async for _ in socket:
                pass
            await closing

    serving(cluster, run)


def test_a_shell_beside_the_program_talks_line_by_line(cluster: Cluster) -> None:
    box(cluster, "sleep", "1000")

    async def scenario(client: Client) -> None:
        await client.sees("/ # ")
        await client.type("cd /tmp\r")
        await client.sees("/tmp # ")
        await client.type("exit 7\r")
        status = await client.status()
        assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]

    connected(cluster, f"{POD}/exec?command=sh&stdin=true&stdout=true&tty=true", scenario)


def test_a_command_with_a_terminal_does_not_wait_for_keys(cluster: Cluster) -> None:
    box(cluster, "sleep", "1000")

    async def scenario(client: Client) -> None:
        assert (await client.status())["status"] == "Success"
        assert client.received[STDOUT] == b"hi\r\n"

    connected(cluster, f"{POD}/exec?command=echo&command=hi&stdin=true&stdout=true&tty=true", scenario)


@pytest.mark.parametrize(("path", "code"), [("nobody/attach", 404), ("box/attach?container=x", 400)])
def test_attaching_to_what_is_not_there_is_refused(cluster: Cluster, path: str, code: int) -> None:
    box(cluster, "sleep", "1000")

    async def scenario(client: Client) -> None:
        raise AssertionError("nobody should be connected")

    with pytest.raises(aiohttp.WSServerHandshakeError, match=str(code)):
        connected(cluster, f"/api/v1/namespaces/default/pods/{path}", scenario)


@pytest.mark.parametrize(
    "message",
    [b"", b"\x00", b"\x07what", b"\xff", b"\xff\x63", b"\x04{", b"\x04" + b"[" * 10_000, "text", b"\x00\xff\xfe\x00\n"],
)
def test_messages_that_make_no_sense_are_passed_over(cluster: Cluster, message: bytes | str) -> None:
    box(cluster, stdin=True)

    async def scenario(client: Client) -> None:
        await (client.socket.send_str(message) if isinstance(message, str) else client.socket.send_bytes(message))
        await client.type("\necho still here\n")
        await client.sees("still here\n")

    connected(cluster, f"{POD}/attach?stdin=true&stdout=true", scenario)


def test_more_than_can_be_read_is_refused_and_the_server_goes_on(cluster: Cluster) -> None:
    box(cluster, "sleep", "100000", stdin=True)

    async def scenario(client: Client) -> None:
        for _ in range(4):
            await client.type("x" * 900_000)
        await client.socket.send_bytes(b"\x00" + b"x" * 4_000_000)
        message = await client.socket.receive()
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    connected(cluster, f"{POD}/attach?stdin=true&stdout=true", scenario)
    assert sum(len(one.input) for one in cluster.machines.containers.values()) <= 1_000_000


def test_a_client_that_stops_reading_what_is_printed_holds_up_nobody(cluster: Cluster) -> None:
    box(cluster, stdin=True)

    async def run(address: Address, front: SocketFront) -> None:
        connector = aiohttp.TCPConnector(ssl=trusting(address))
        async with (
            aiohttp.ClientSession(address.url, headers=HEADERS, connector=connector) as http,
            http.ws_connect(f"{POD}/attach?stdin=true&stdout=true", protocols=["v5.channel.k8s.io"]) as socket,
        ):
            assert socket._conn is not None and socket._conn.transport is not None
            socket._conn.transport.pause_reading()  # type: ignore[attr-defined]
            for _ in range(5):
                await socket.send_bytes(b"\x00for i in 1 2 3 4 5 6 7 8 9; do seq 2000; done\n")
            async with http.get(POD, timeout=aiohttp.ClientTimeout(120)) as answer:
                assert answer.status == 200
            socket._conn.transport.abort()  # type: ignore[attr-defined]

    serving(cluster, run)
