"""The socket: TLS, who is let in, what is refused, watches, and the order of answers and their consequences."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fake_cluster import TOKEN, FakeCluster, Stream, named, serving, trusting

from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response, WatchEvent
from autograder.controlplane.clock import SECOND
from autograder.controlplane.fronts import certificates, http
from autograder.controlplane.fronts.socket import Address, SocketFront

PODS = "/api/v1/namespaces/default/pods"
ONE_POD = {"watch": "true", "fieldSelector": "metadata.name=p"}


def session(address: Address, token: str = TOKEN) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return aiohttp.ClientSession(
        address.url, headers=headers, connector=aiohttp.TCPConnector(ssl=trusting(address), limit=0)
    )


async def raw(address: Address, data: bytes) -> bytes:
    """What the server says to bytes, after which this side of the connection ends."""
    port = int(address.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(address))
    writer.write(data)
    await writer.drain()
    answer = await reader.read(65536)
    writer.close()
    return answer


def test_a_request_reaches_the_cluster_as_it_was_sent(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client:
            path = f"{PODS}?labelSelector=a%3Db&labelSelector=c&dryRun="
            async with client.post(path, json={"a": 1}, headers={"X-Other": "y"}) as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"] == "application/json"
        request = cluster.requests[0]
        assert (request.method, request.path, request.user) == ("POST", PODS, ADMIN)
        assert request.query == {"labelSelector": ["a=b", "c"], "dryRun": [""]}
        assert request.headers["x-other"] == "y"
        assert json.loads(request.body) == {"a": 1}

    serving(cluster, scenario)


@pytest.mark.parametrize("token", ["", "another"])
def test_whoever_does_not_show_the_token_is_the_api_servers_to_judge(cluster: FakeCluster, token: str) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address, token) as client, client.get(PODS) as answer:
            await answer.read()
        (request,) = cluster.requests
        assert request.user is None
        assert request.headers.get("authorization", "") == (f"Bearer {token}" if token else "")

    serving(cluster, scenario)


def test_a_certificate_of_the_authority_names_a_user_and_his_groups(cluster: FakeCluster, tmp_path: Path) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        certificate, key = front.client_certificate("jane", ["dev", "ops"])
        (tmp_path / "jane.pem").write_bytes(certificate + key)
        tls = trusting(address)
        tls.load_cert_chain(tmp_path / "jane.pem")
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as client,
            client.get(address.url + PODS, headers={"Authorization": "Bearer another"}) as answer,
        ):
            await answer.read()
        (request,) = cluster.requests
        assert request.user is not None
        assert (request.user.name, request.user.groups) == ("jane", ("dev", "ops", "system:authenticated"))

    serving(cluster, scenario)


def test_a_certificate_of_somebody_else_is_not_taken(cluster: FakeCluster, tmp_path: Path) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        certificate, key = certificates.issue(["localhost"]).client("admin", ["system:masters"])
        (tmp_path / "forged.pem").write_bytes(certificate + key)
        tls = trusting(address)
        tls.load_cert_chain(tmp_path / "forged.pem")
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as client:
            with pytest.raises(aiohttp.ClientError):
                await client.get(address.url + PODS)
        assert cluster.requests == []

    serving(cluster, scenario)


def test_every_value_of_a_header_arrives(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        headers = [("Impersonate-Group", "a, b"), ("Impersonate-Group", "c"), ("Accept", "a/b"), ("Accept", "c/d")]
        async with session(address) as client, client.get(PODS, headers=headers) as answer:
            await answer.read()
        found = cluster.requests[0].headers
        assert (found["impersonate-group"], found["accept"]) == ("a, b\nc", "a/b, c/d")

    serving(cluster, scenario)


def test_the_certificate_is_for_localhost_too(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        port = address.url.rpartition(":")[2]
        there = Address(f"https://localhost:{port}", TOKEN, address.authority)
        async with session(there) as client, client.get(PODS) as answer:
            assert answer.status == 200

    serving(cluster, scenario)


def test_warnings_and_headers_of_an_answer_are_sent(cluster: FakeCluster) -> None:
    cluster.answers[PODS] = lambda _: Response(
        201, {"kind": "Pod", "note": "<&>"}, headers={"etag": '"x"'}, warnings=['unknown field "a"', "two\nlines"]
    )

    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(PODS) as answer:
            assert answer.status == 201
            assert answer.headers["ETag"] == '"x"'
            assert answer.headers.getall("Warning") == ['299 - "unknown field \\"a\\""', '299 - "two lines"']
            assert await answer.text() == '{"kind":"Pod","note":"\\u003c\\u0026\\u003e"}\n'

    serving(cluster, scenario)


def test_that_nothing_has_changed_says_nothing_of_a_type(cluster: FakeCluster) -> None:
    cluster.answers["/apis"] = lambda _: Response(304, b"", headers={"etag": '"x"'})

    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get("/apis") as answer:
            assert answer.status == 304
            assert "Content-Type" not in answer.headers

    serving(cluster, scenario)


def test_only_large_answers_are_compressed(cluster: FakeCluster) -> None:
    large = {"kind": "Large", "text": "x" * http.GZIP_FROM}
    cluster.answers["/large"] = lambda _: Response(200, large)

    async def scenario(address: Address, front: SocketFront) -> None:
        connector = aiohttp.TCPConnector(ssl=trusting(address))
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": "gzip"}
        async with aiohttp.ClientSession(
            address.url, connector=connector, auto_decompress=False, headers=headers
        ) as client:
            async with client.get("/large") as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                assert json.loads(gzip.decompress(await answer.read())) == large
            async with client.get("/small") as answer:
                assert "Content-Encoding" not in answer.headers

    serving(cluster, scenario)


def test_curl_gets_its_json_indented(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(PODS, headers={"User-Agent": "curl/8"}) as answer:
            assert (await answer.text()).startswith('{\n  "kind": "Echo"')

    serving(cluster, scenario)


def test_a_body_that_is_too_large_is_refused(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client:
            async with client.post(PODS, data=io.BytesIO(b"x" * (http.BODY_LIMIT + 1))) as answer:
                assert (answer.status, (await answer.json())["reason"]) == (413, "RequestEntityTooLarge")

            async def chunks() -> Any:
                for _ in range(4):
                    yield b"x" * (1024 * 1024)

            async with client.post(PODS, data=chunks()) as answer:
                assert answer.status == 413
        assert cluster.requests == []

    serving(cluster, scenario)


def test_a_body_that_ends_early_reaches_nobody(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        port = int(address.url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(address))
        head = f"POST {PODS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100\r\n\r\n"
        writer.write(head.encode() + b"half")
        await writer.drain()
        writer.transport.abort()
        async with session(address) as client, client.get(PODS) as answer:
            assert answer.status == 200
        assert [request.method for request in cluster.requests] == ["GET"]

    serving(cluster, scenario)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", id="a header without end"),
        pytest.param(b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n", id="a path without end"),
        pytest.param(b"\x00\x01\x02 nonsense\r\n\r\n", id="no HTTP"),
    ],
)
def test_what_is_no_request_is_refused(cluster: FakeCluster, data: bytes) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        assert (await raw(address, data)).startswith(b"HTTP/1.1 400") or not cluster.requests
        assert cluster.requests == []

    serving(cluster, scenario)


def test_a_query_of_too_many_parts_is_refused(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(f"{PODS}?{'a=b&' * 2000}") as answer:
            assert (answer.status, (await answer.json())["reason"]) == (400, "BadRequest")

    serving(cluster, scenario)


def test_an_error_of_the_cluster_is_an_internal_one_and_the_server_goes_on(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: Request) -> Response:
        raise ZeroDivisionError("oh")

    cluster.answers[PODS] = broken

    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client:
            async with client.get(PODS) as answer:
                assert (answer.status, (await answer.json())["reason"]) == (500, "InternalError")
            async with client.get("/other") as answer:
                assert answer.status == 200

    serving(cluster, scenario)
    assert "ZeroDivisionError" in caplog.text


def test_what_a_request_sets_off_is_done_before_the_next_one(cluster: FakeCluster) -> None:
    cluster.answers["/create"] = lambda _: Response(201, {"settled": cluster.settled})
    cluster.answers["/look"] = lambda _: Response(200, {"settled": cluster.settled})

    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client:
            async with client.post("/create") as answer:
                at_create = (await answer.json())["settled"]
            async with client.get("/look") as answer:
                assert (await answer.json())["settled"] > at_create

    serving(cluster, scenario)


def test_a_watch_sends_each_event_as_a_line(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(PODS, params={"watch": "true"}) as answer:
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert json.loads(await answer.content.readline()) == {"type": "ADDED", "object": named("first")}
            cluster.streams[0].events.append(WatchEvent("DELETED", named("first")))
            front.pacing.settle()
            assert json.loads(await answer.content.readline())["type"] == "DELETED"

    serving(cluster, scenario)


def test_an_error_ends_a_watch(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(PODS, params={"watch": "true"}) as answer:
            await answer.content.readline()
            cluster.streams[0].events.append(WatchEvent("ERROR", {"kind": "Status", "code": 410}))
            front.pacing.settle()
            assert json.loads(await answer.content.readline())["object"]["code"] == 410
            assert await answer.content.readline() == b""

    serving(cluster, scenario)


def test_a_watch_ends_when_its_time_is_over(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        params = {"watch": "true", "timeoutSeconds": "1"}
        async with session(address) as client, client.get(PODS, params=params) as answer:
            assert len((await answer.text()).splitlines()) == 1

    serving(cluster, scenario)


def test_a_client_that_leaves_takes_its_watch_along(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(PODS, params={"watch": "true"}) as answer:
            await answer.content.readline()
            assert len(front.watches) == 1
        while len(front.watches):
            await asyncio.sleep(0.01)

    serving(cluster, scenario)


def test_a_client_that_does_not_read_is_dropped(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        front.watches._stalled = 0.2
        port = int(address.url.rpartition(":")[2])
        own = socket.create_connection(("127.0.0.1", port))
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        own.setblocking(False)
        _, writer = await asyncio.open_connection(
            sock=own, ssl=trusting(address), server_hostname="localhost", limit=1024
        )
        head = f"GET {PODS}?watch=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        while not cluster.streams:
            await asyncio.sleep(0.01)
        writer.transport.pause_reading()
        stream: Stream = cluster.streams[0]
        while len(front.watches):
            stream.events.append(WatchEvent("MODIFIED", {"text": "x" * 1_000_000}))
            front.pacing.settle()
            await asyncio.sleep(0.02)
        writer.transport.abort()

    serving(cluster, scenario)


def test_hundreds_of_idle_watches_leave_the_server_quick(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client:
            answers = await asyncio.gather(*(client.get(PODS, params={"watch": "true"}) for _ in range(200)))
            assert len(front.watches) == 200
            async with asyncio.timeout(60), client.get("/other") as answer:
                assert answer.status == 200
            for answer in answers:
                answer.close()

    serving(cluster, scenario)


def test_time_jumps_for_a_client_that_watches_one_object(cluster: FakeCluster) -> None:
    cluster.clock.set("kubelet", "ready", cluster.clock.now + 300 * SECOND)

    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(PODS, params=ONE_POD) as answer:
            await answer.content.readline()
            async with asyncio.timeout(120):
                assert json.loads(await answer.content.readline())["object"]["metadata"]["name"] == "ready"

    serving(cluster, scenario)


def test_time_does_not_jump_for_one_who_looks_on(cluster: FakeCluster) -> None:
    start = cluster.clock.now
    cluster.clock.set("kubelet", "ready", start + 300 * SECOND)

    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client:
            looking = await client.get(PODS, params=ONE_POD, headers={"Kubectl-Command": "kubectl get"})
            listing = await client.get(PODS, params={"watch": "true"})
            await asyncio.sleep(0.6)
            assert cluster.clock.now == start
            looking.close()
            listing.close()

    serving(cluster, scenario)


def test_closing_ends_watches_in_order(cluster: FakeCluster) -> None:
    async def scenario(address: Address, front: SocketFront) -> None:
        async with session(address) as client, client.get(PODS, params={"watch": "true"}) as answer:
            await answer.content.readline()
            closing = asyncio.create_task(front.close())
            assert await answer.content.readline() == b""
            await closing

    serving(cluster, scenario)
