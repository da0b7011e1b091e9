"""Logs that are followed, and commands in containers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from fake_cluster import TOKEN, FakeCluster, serving, trusting

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.node_connection import ExecResult
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.fronts.socket import Address, SocketFront

POD = "/api/v1/namespaces/default/pods/p"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class Container:
    """A pod of one container: its log, and whether it runs."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.log = "one\n"
        self.runs = True
        cluster.answers[f"{POD}/log"] = self._log
        cluster.answers[POD] = self._pod

    def _log(self, request: Request) -> Response:
        lines = self.log.splitlines(keepends=True)
        tail = request.param("tailLines")
        return Response(200, "".join(lines[-int(tail) :] if tail else lines), "text/plain")

    def _pod(self, request: Request) -> Response:
        state = {"running": {}} if self.runs else {"terminated": {"exitCode": 0}}
        return Response(200, {"status": {"containerStatuses": [{"name": "c", "state": state}]}})


def client(address: Address) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=trusting(address))
    return aiohttp.ClientSession(address.url, headers=HEADERS, connector=connector)


def test_a_log_that_is_followed_goes_on_until_the_container_ends(cluster: FakeCluster) -> None:
    container = Container(cluster)

    async def scenario(address: Address, front: SocketFront) -> None:
        async with client(address) as http, http.get(f"{POD}/log?follow=true") as answer:
            assert await answer.content.readline() == b"one\n"
            container.log += "two\n"
            front.pacing.settle()
            assert await answer.content.readline() == b"two\n"
            container.log += "three\n"
            container.runs = False
            front.pacing.settle()
            assert await answer.content.read() == b"three\n"

    serving(cluster, scenario, "wall")


def test_following_begins_with_as_many_lines_as_asked_for(cluster: FakeCluster) -> None:
    container = Container(cluster)
    container.log, container.runs = "one\ntwo\nthree\n", False

    async def scenario(address: Address, front: SocketFront) -> None:
        async with client(address) as http, http.get(f"{POD}/log?follow=true&tailLines=1") as answer:
            assert await answer.text() == "three\n"

    serving(cluster, scenario)


def test_following_what_is_not_there_is_refused(cluster: FakeCluster) -> None:
    missing = NotFound.on("pods", "", "p")
    cluster.answers[f"{POD}/log"] = lambda _: Response(404, missing.status())

    async def scenario(address: Address, front: SocketFront) -> None:
        async with client(address) as http, http.get(f"{POD}/log?follow=true") as answer:
            assert (answer.status, (await answer.json())["message"]) == (404, 'pods "p" not found')

    serving(cluster, scenario)


async def run(address: Address, query: str, typed: bytes | None = None) -> dict[int, bytes]:
    """What comes over each channel when a command is run."""
    received: dict[int, bytes] = {}
    url = f"{POD}/exec?{query}"
    async with client(address) as http, http.ws_connect(url, protocols=["v5.channel.k8s.io"]) as socket:
        assert socket.protocol == "v5.channel.k8s.io"
        if typed is not None:
            await socket.send_bytes(b"\x00" + typed)
            await socket.send_bytes(b"\xff\x00")
        async for message in socket:
            received[message.data[0]] = received.get(message.data[0], b"") + message.data[1:]
    return received


def command(code: int) -> Callable[[Request], Response]:
    """A command that prints its arguments and what was typed."""

    def answer(request: Request) -> Response:
        return Response(200, ExecResult(" ".join(request.query["command"]), request.body.decode(), code))

    return answer


def test_a_command_prints_and_ends_well(cluster: FakeCluster) -> None:
    cluster.answers[f"{POD}/exec"] = command(0)

    async def scenario(address: Address, front: SocketFront) -> None:
        received = await run(address, "command=echo&command=hi&stdout=true")
        assert received[1] == b"echo hi"
        assert json.loads(received[3])["status"] == "Success"

    serving(cluster, scenario)


def test_a_command_that_fails_tells_its_exit_code(cluster: FakeCluster) -> None:
    cluster.answers[f"{POD}/exec"] = command(7)

    async def scenario(address: Address, front: SocketFront) -> None:
        status = json.loads((await run(address, "command=false"))[3])
        assert status["reason"] == "NonZeroExitCode"
        assert status["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]

    serving(cluster, scenario)


def test_a_command_gets_what_is_typed(cluster: FakeCluster) -> None:
    cluster.answers[f"{POD}/exec"] = command(0)

    async def scenario(address: Address, front: SocketFront) -> None:
        assert (await run(address, "command=cat&stdin=true", b"typed"))[2] == b"typed"

    serving(cluster, scenario)


@pytest.mark.parametrize("stdin", ["", "&stdin=true"])
def test_a_command_in_a_pod_that_is_not_there_is_refused(cluster: FakeCluster, stdin: str) -> None:
    missing: dict[str, Any] = NotFound.on("pods", "", "p").status()
    cluster.answers[POD] = cluster.answers[f"{POD}/exec"] = lambda _: Response(404, missing)

    async def scenario(address: Address, front: SocketFront) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            await run(address, f"command=ls{stdin}")

    serving(cluster, scenario)


def test_kubectl_that_comes_back_over_spdy_is_told_again_why_it_was_refused(cluster: FakeCluster) -> None:
    missing = NotFound.on("pods", "", "p").status()
    cluster.answers[f"{POD}/exec"] = lambda _: Response(404, missing)

    async def scenario(address: Address, front: SocketFront) -> None:
        url, headers = f"{POD}/exec?command=ls", {"Kubectl-Session": "s"}
        async with client(address) as http:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(url, headers=headers)
            for code in (404, 400):
                async with http.post(url, headers={**headers, "Upgrade": "SPDY/3.1"}) as answer:
                    assert answer.status == code

    serving(cluster, scenario)


def test_commands_over_spdy_are_refused_with_a_reason(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
        async with client(address) as http, http.post(f"{POD}/exec?command=ls", headers=headers) as answer:
            assert answer.status == 400
            assert "websocket" in (await answer.json())["message"]

    serving(cluster, scenario)


def test_following_is_over_when_the_server_closes(cluster: FakeCluster) -> None:
    Container(cluster)

    async def scenario(address: Address, front: SocketFront) -> None:
        async with client(address) as http, http.get(f"{POD}/log?follow=true") as answer:
            assert await answer.content.readline() == b"one\n"
            closing = asyncio.create_task(front.close())
            assert await answer.content.read() == b""
            await closing

    serving(cluster, scenario)
