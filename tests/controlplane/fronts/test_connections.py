"""Connections over which nothing comes are dropped; those that are in use are not."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from autograder.controlplane.fronts.connections import Server

PATIENCE = 0.5


async def answers(request: web.BaseRequest) -> web.Response:
    await asyncio.sleep(2 * PATIENCE if request.path == "/slow" else 0)
    return web.Response(text="answered")


async def answer_to(data: bytes) -> bytes:
    """What a server says to a client that sends some bytes and then waits."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(Server(answers, first_request_seconds=PATIENCE), "127.0.0.1", 0)
    async with listening, asyncio.timeout(120):
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(data)
        try:
            answer = await reader.readuntil(b"answered")
        except (asyncio.IncompleteReadError, ConnectionResetError):
            answer = b""
        writer.close()
    return answer


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\nHost:"])
def test_a_client_that_sends_no_request_is_dropped(data: bytes) -> None:
    assert asyncio.run(answer_to(data)) == b""


@pytest.mark.parametrize("path", ["/", "/slow"])
def test_a_client_that_does_is_answered(path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"
    assert asyncio.run(answer_to(request.encode())).startswith(b"HTTP/1.1 200")
