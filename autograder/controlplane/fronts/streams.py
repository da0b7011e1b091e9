"""Logs that are followed, and being connected to containers: what of the API is more than a question and an answer.

Commands and attached clients use a websocket with a channel for each stream (``v5.channel.k8s.io``), which is what
kubectl and the Python client try first.  SPDY, which they fall back to, is only spoken within the tunnels of
port-forward (``forwarding``).
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from enum import IntEnum
from typing import Any, Final

from aiohttp import WSMessage, WSMsgType, web

from autograder.controlplane.apimachinery.errors import BadRequest, InternalError, RequestEntityTooLarge
from autograder.controlplane.apimachinery.node_connection import ExecResult, Terminal
from autograder.controlplane.apimachinery.wire import Object, Request, Response
from autograder.controlplane.fronts import forwarding
from autograder.controlplane.fronts.http import BODY_LIMIT, encode, headers_of, payload
from autograder.controlplane.fronts.keyboard import Keyboard, on_screen
from autograder.controlplane.fronts.pacing import Pacing
from autograder.controlplane.fronts.watches import Watches

Handle = Callable[[Request], Response]

PROTOCOLS: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_POD: Final = re.compile(r"(?P<pod>/api/v1/namespaces/[^/]+/pods/[^/]+)/(?P<subresource>attach|exec|log|portforward)")
#: What selects lines by how old or how late they are; a log that is followed is told apart from it after that.
_SELECTING: Final = frozenset({"follow", "tailLines", "sinceSeconds", "sinceTime", "limitBytes"})
_STDIN_SECONDS: Final = 600.0
_REMEMBERED: Final = 64


class Channel(IntEnum):
    """The first byte of each message says which stream it belongs to."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    ERROR = 3
    RESIZE = 4
    CLOSE = 255


def is_followed_log(request: Request) -> bool:
    """Whether the request is for a log as it is written."""
    return request.flag("follow") and _subresource(request) == "log"


def is_connection(request: Request) -> bool:
    """Whether the request is to run a command in a container, or to be connected to it or to a port of its pod."""
    return _subresource(request) in ("attach", "exec", "portforward")


async def follow(http: web.BaseRequest, request: Request, handle: Handle, watches: Watches) -> web.StreamResponse:
    """Send the log there is, then what is added, until the container has ended or the client leaves."""
    first = handle(request)
    if first.code != 200:
        return _refusal(first)
    whole = _asking(request, {name: values for name, values in request.query.items() if name not in _SELECTING})
    answer = web.StreamResponse(headers=[("Content-Type", "text/plain"), ("Cache-Control", "no-cache, private")])
    answer.enable_chunked_encoding()
    await answer.prepare(http)
    sent = len(payload(handle(whole).body))
    data = payload(first.body)
    with watches.listening(lambda: True) as woken:
        while not data or await watches.send(http, answer, data):
            ended = watches.closing or _has_ended(request, handle)
            woken.clear()
            log = handle(whole)
            text = payload(log.body) if log.code == 200 else b""
            data, sent = text[sent:], max(sent, len(text))
            if ended and not data:
                await answer.write_eof()
                break
            if not data:
                await woken.wait()
    return answer


class Connections:
    """Connects clients to commands in containers, and remembers whom it has refused.

    kubectl comes back over SPDY after any refusal, and shows the answer to that; it is to be shown the refusal.
    """

    def __init__(self, handle: Handle, watches: Watches, pacing: Pacing) -> None:
        self._handle = handle
        self._watches = watches
        self._pacing = pacing
        self._refused: OrderedDict[Hashable, Response] = OrderedDict()

    async def serve(self, http: web.BaseRequest, request: Request) -> web.StreamResponse:
        """Connect a client to a command: what he types goes in, and what the command prints comes out.

        A command that is run for him alone prints when it has ended, unless it is a shell with a terminal.  Raises
        ``StatusError`` for a client that does not speak websocket; other refusals are the API server's.
        """
        asked = (request.headers.get("kubectl-session"), request.path, repr(request.query))
        forwards = _subresource(request) == "portforward"
        protocols = (forwarding.PROTOCOL,) if forwards else PROTOCOLS
        socket = web.WebSocketResponse(protocols=protocols, max_msg_size=BODY_LIMIT)
        if not socket.can_prepare(http):
            if refusal := self._refused.pop(asked, None):
                return _refusal(refusal)
            raise BadRequest(f"Upgrade request required: this goes over websocket ({protocols[0]}), not SPDY")
        tty = request.flag("tty")
        reads = request.flag("stdin") and not tty and _subresource(request) == "exec"
        response = self._handle(_asking(request, {}, path=_pod(request)) if reads else request)
        if response.code != 200:
            self._refused[asked] = response
            if len(self._refused) > _REMEMBERED:
                self._refused.popitem(last=False)
            return _refusal(response)
        await socket.prepare(http)
        if forwards:
            await forwarding.forward(socket, response.body, self._pacing.settle)
            return socket
        if reads:
            response = self._handle(_asking(request, request.query, body=await _typed(socket)))
        elif not isinstance(response.body, ExecResult):
            terminal: Terminal = response.body
            code = await _Conversation(socket, terminal, self._watches, self._pacing).hold(reads=request.flag("stdin"))
            ended = code if _subresource(request) == "exec" else 0
            return await _over(socket, exit_status(ended))
        status: Object = response.body
        if response.code == 200:
            result: ExecResult = response.body
            for channel, text in ((Channel.STDOUT, result.stdout), (Channel.STDERR, result.stderr)):
                if text:
                    shown = Channel.STDOUT if tty else channel
                    await socket.send_bytes(bytes([shown]) + on_screen(text, tty=tty))
            status = InternalError.because(result.failure).status() if result.failure else exit_status(result.code)
        return await _over(socket, status)


class _Conversation:
    """One client and the program that he is connected to, until either leaves."""

    def __init__(self, socket: web.WebSocketResponse, terminal: Terminal, watches: Watches, pacing: Pacing) -> None:
        self._socket = socket
        self._terminal = terminal
        self._watches = watches
        self._pacing = pacing

    async def hold(self, *, reads: bool) -> int:
        """Carry text both ways; the exit code of the program, or 0 where the client leaves first."""
        terminal = self._terminal
        with self._watches.listening(lambda: True) as woken:
            listening = asyncio.create_task(self._listen(reads=reads), name="a client's keys")
            listening.add_done_callback(lambda _: woken.set())
            waiter = None if reads else self._pacing.wait()
            try:
                while not self._watches.closing:
                    woken.clear()
                    over = terminal.exit_code is not None or listening.done()
                    if await self._tell() and waiter:
                        self._pacing.news(waiter)
                    if over:
                        break
                    await woken.wait()
            finally:
                if waiter:
                    self._pacing.done(waiter)
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                if reads:
                    terminal.hang_up()
                    self._pacing.settle()
        return terminal.exit_code or 0

    async def _tell(self) -> bool:
        """Send what was printed; whether anything was."""
        tty, printed = self._terminal.is_tty, self._terminal.poll()
        for stream, text in printed:
            channel = Channel.STDERR if stream == "stderr" and not tty else Channel.STDOUT
            await self._socket.send_bytes(bytes([channel]) + on_screen(text, tty=tty))
        return bool(printed)

    async def _listen(self, *, reads: bool) -> None:
        """Hand over what the client types, until he leaves."""
        keyboard = Keyboard(tty=self._terminal.is_tty)
        waiter = None
        try:
            async for message in self._socket:
                if not reads:
                    continue
                channel, data = _part_of(message)
                ended = channel == Channel.CLOSE and data[:1] == bytes([Channel.STDIN])
                if channel == Channel.STDIN:
                    shown, text = keyboard.feed(data)
                    if shown:
                        await self._socket.send_bytes(bytes([Channel.STDOUT]) + shown.encode())
                    self._terminal.type(text)
                if ended:
                    self._terminal.hang_up()
                    waiter = waiter or self._pacing.wait()
                self._pacing.settle()
        finally:
            if waiter:
                self._pacing.done(waiter)


async def _over(socket: web.WebSocketResponse, status: Object) -> web.WebSocketResponse:
    """Say the last word to a client."""
    if not socket.closed:
        await socket.send_bytes(bytes([Channel.ERROR]) + encode(status))
        await socket.close()
    return socket


def _refusal(response: Response) -> web.Response:
    return web.Response(
        status=response.code, body=payload(response.body, response.content_type), headers=headers_of(response)
    )


async def _typed(socket: web.WebSocketResponse) -> bytes:
    """All that the client sends to the command, until it closes that stream or leaves."""
    typed = bytearray()
    async with asyncio.timeout(_STDIN_SECONDS):
        async for message in socket:
            channel, data = _part_of(message)
            if channel == Channel.CLOSE and data[:1] == bytes([Channel.STDIN]):
                break
            if channel == Channel.STDIN:
                typed += data
            if len(typed) > BODY_LIMIT:
                raise RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}")
    return bytes(typed)


def _part_of(message: WSMessage) -> tuple[int, bytes]:
    """The channel of a message, and what it says; clients send text as well as bytes."""
    content = message.data.encode() if message.type is WSMsgType.TEXT else message.data
    if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY) or not content:
        return Channel.RESIZE, b""
    return content[0], content[1:]


def exit_status(code: int) -> Object:
    """The last word of a command that has ended with a code."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: error executing command, exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _has_ended(request: Request, handle: Handle) -> bool:
    """Whether the container of a log runs no more, or its pod is gone."""
    response = handle(_asking(request, {}, path=_pod(request)))
    if response.code != 200:
        return True
    pod: Any = response.body
    status = pod.get("status") or {}
    kinds = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
    statuses = [one for kind in kinds for one in status.get(kind) or ()]
    asked = request.param("container")
    wanted = [one for one in statuses if not asked or one["name"] == asked]
    return any("terminated" in (one.get("state") or {}) for one in wanted)


def _asking(request: Request, query: Mapping[str, Any], *, path: str = "", body: bytes = b"") -> Request:
    """Another request by the same client."""
    headers = {name: value for name, value in request.headers.items() if name != "accept"}
    return Request("GET", path or request.path, query, headers, body, request.user)


def _subresource(request: Request) -> str:
    match = _POD.fullmatch(request.path)
    return match["subresource"] if match else ""


def _pod(request: Request) -> str:
    match = _POD.fullmatch(request.path)
    assert match is not None
    return match["pod"]
