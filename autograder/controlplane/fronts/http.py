"""HTTP on one side, the API server's ``Request`` and ``Response`` on the other.

What comes in is bounded in size and time before it is parsed; what goes out is written as the real server writes it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from typing import Any, Final
from urllib.parse import parse_qs

from aiohttp import web

from autograder.controlplane.apimachinery.errors import BadRequest, RequestEntityTooLarge, StatusError, Timeout
from autograder.controlplane.apimachinery.wire import Object, Request, Response, User
from autograder.controlplane.fronts import yaml_answers
from autograder.controlplane.kube_apiserver.representation import YAML

#: As the real server: no body is longer than this.
BODY_LIMIT: Final = 3 * 1024 * 1024
BODY_SECONDS: Final = 60.0
#: Answers from this size on are compressed, if the client can read that.
GZIP_FROM: Final = 128 * 1024
_QUERY_FIELDS: Final = 1000
#: Clients with a person before them get their JSON indented.
_PRETTY_AGENTS: Final = ("curl", "Wget", "Mozilla/")


async def read(http: web.BaseRequest, user: User | None) -> Request:
    """The request, with its body read. Raises ``StatusError`` for one that is too large, too slow or not to be read.

    Values of a header that is given more than once are joined by commas; names of groups, which may have commas in
    them, stand in lines of their own.
    """
    try:
        query = parse_qs(http.query_string, keep_blank_values=True, max_num_fields=_QUERY_FIELDS)
    except ValueError as error:
        raise BadRequest(f"the query cannot be read: {error}") from error
    headers: dict[str, str] = {}
    for name, value in ((name.lower(), value) for name, value in http.headers.items()):
        separator = "\n" if name.startswith("impersonate-") else ", "
        headers[name] = f"{headers[name]}{separator}{value}" if name in headers else value
    return Request(http.method, http.path, query, headers, await _body(http), user)


async def _body(http: web.BaseRequest) -> bytes:
    if (http.content_length or 0) > BODY_LIMIT:
        raise _too_large()
    if http.headers.get("Expect", "").lower() == "100-continue":
        await http.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in http.content.iter_any():
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise _too_large()
    except TimeoutError as error:
        raise Timeout(f"the body did not arrive within {BODY_SECONDS:.0f} s") from error
    return bytes(body)


def _too_large() -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"Request entity too large: limit is {BODY_LIMIT}")


def written(request: Request, response: Response) -> web.Response:
    """The answer as it goes over the wire."""
    headers = headers_of(response)
    body = payload(response.body, response.content_type, pretty=_wants_pretty(request))
    if len(body) >= GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
        headers.append(("Vary", "Accept-Encoding"))
    return web.Response(status=response.code, body=body, headers=headers)


def refused(error: StatusError) -> web.Response:
    """The answer for a request that does not reach the API server."""
    return web.Response(status=error.code, body=encode(error.status()), headers=[("Content-Type", "application/json")])


def headers_of(response: Response) -> list[tuple[str, str]]:
    """All headers of an answer, warnings among them.

    An answer without a body says nothing of a type: a client that has the document would take it for that.
    """
    headers = {"cache-control": "no-cache, private", **response.headers}
    if response.body or response.stream:
        headers["content-type"] = response.content_type
    return [*headers.items(), *(("Warning", f'299 - "{_quoted(text)}"') for text in response.warnings)]


def payload(body: Any, media_type: str = "application/json", *, pretty: bool = False) -> bytes:
    """Bytes as they are, text in UTF-8, nothing for None, and objects as JSON or YAML."""
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return yaml_answers.dump(body) if media_type == YAML else encode(body, pretty=pretty)


def encode(document: Object, *, pretty: bool = False) -> bytes:
    """JSON as Go writes it: one line with an end, and what HTML would read as its own escaped."""
    separators, indent = ((",", ": "), 2) if pretty else ((",", ":"), None)
    text = json.dumps(document, ensure_ascii=False, separators=separators, indent=indent)
    return (text.translate(_ESCAPES) + "\n").encode("utf-8", "surrogatepass")


_ESCAPES: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def _wants_pretty(request: Request) -> bool:
    if "pretty" in request.query:
        return request.param("pretty") in ("1", "t", "T", "true", "TRUE", "True")
    return request.headers.get("user-agent", "").startswith(_PRETTY_AGENTS)


def _quoted(text: str) -> str:
    """Text for a quoted string of a header: one line, with quotes and backslashes escaped."""
    return _CONTROLS.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')


_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]+")
