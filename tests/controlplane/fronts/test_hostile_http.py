"""Bad and hostile input over a real socket ends in the right 4xx, and the server goes on serving."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from fake_cluster import TOKEN, trusting
from yarl import URL

from autograder.controlplane.cluster import Cluster
from autograder.controlplane.fronts.socket import Address, SocketFront

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON = {"Content-Type": "application/json"}
Scenario = Callable[[Address, aiohttp.ClientSession], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def booted() -> Cluster:
    return Cluster(nodes=[], without=["kube-controller-manager"])


@pytest.fixture
def cluster(booted: Cluster) -> Cluster:
    return booted.fork()


def serving(cluster: Cluster, scenario: Scenario, *, tls: bool = True, seconds: float = 240) -> None:
    """Run a scenario against a cluster at a socket; the server must answer well when it is over."""

    async def run() -> None:
        front = SocketFront(cluster, TOKEN, mode="manual", tls=tls)
        address = await front.start()
        trust: Any = trusting(address) if tls else False
        try:
            async with asyncio.timeout(seconds):
                headers = {"Authorization": f"Bearer {TOKEN}"}
                connector = aiohttp.TCPConnector(ssl=trust, limit=0)
                async with aiohttp.ClientSession(f"{address.url}/", headers=headers, connector=connector) as client:
                    await scenario(address, client)
                    async with client.get(CONFIGMAPS) as answer:
                        assert answer.status == 200
        finally:
            await front.close()

    asyncio.run(run())


async def opened(address: Address, *, tls: bool = True) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = urlsplit(address.url).port
    return await asyncio.open_connection("127.0.0.1", port, ssl=trusting(address) if tls else None)


def head(method: str, path: str, *more: str) -> bytes:
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {TOKEN}", *more, "", ""]
    ).encode()


CONFIGMAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
DEEP = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BOMB = b"\n".join(
    [
        b"a: &a [x,x,x,x,x,x,x,x,x]",
        *(b"%c: &%c [%s]" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in range(98, 107)),
    ]
)


@pytest.mark.parametrize(
    ("body", "kind", "code", "reason"),
    [
        pytest.param(b"", "application/json", 400, "BadRequest", id="nothing"),
        pytest.param(b'{"apiVersion":"v1","kind":', "application/json", 400, "BadRequest", id="half of it"),
        pytest.param(b"[]", "application/json", 400, "BadRequest", id="a list"),
        pytest.param(b"null", "application/json", 422, "Invalid", id="null"),
        pytest.param(b"\xff\xfe\x00", "application/json", 400, "BadRequest", id="no UTF-8"),
        pytest.param(DEEP, "application/json", 400, "BadRequest", id="deep JSON"),
        pytest.param(b"a: " + b"[" * 50_000, "application/yaml", 400, "BadRequest", id="deep YAML"),
        pytest.param(BOMB, "application/yaml", 400, "BadRequest", id="a billion laughs"),
        pytest.param(b"a: !!python/object:os.system [x]", "application/yaml", 422, "Invalid", id="YAML with code"),
        pytest.param(b"k8s\x00\xff\xff", PROTOBUF, 400, "BadRequest", id="broken protobuf"),
        pytest.param(b"{}", "text/plain", 415, "UnsupportedMediaType", id="text"),
        pytest.param(b"{}", "application/x-www-form-urlencoded", 415, "UnsupportedMediaType", id="a form"),
        pytest.param(b"x" * 10_000_000, "application/json", 413, "RequestEntityTooLarge", id="ten megabytes"),
        pytest.param(
            json.dumps({**CONFIGMAP, "metadata": {"name": "\ud800"}}).encode(), "application/json", 422, "Invalid",
            id="half of a character",
        ),
        pytest.param(
            b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a\xff"}}', "application/json", 422, "Invalid",
            id="a name in no UTF-8",
        ),
        pytest.param(
            b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"immutable":' + b"9" * 10_000 + b"}",
            "application/json", 400, "BadRequest", id="an endless number",
        ),
    ],
)  # fmt: skip
def test_a_body_that_is_no_object_is_refused(cluster: Cluster, body: bytes, kind: str, code: int, reason: str) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        async with client.post(CONFIGMAPS, data=io.BytesIO(body), headers={"Content-Type": kind}) as answer:
            status = await answer.json()
            assert (answer.status, status["reason"]) == (code, reason), status["message"][:200]
            assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", code)

    serving(cluster, scenario)


@pytest.mark.parametrize(
    ("method", "kind", "code"),
    [
        ("PUT", "text/plain", 415), ("PUT", "application/merge-patch+json", 415),
        ("PATCH", "application/json", 415), ("PATCH", "text/plain", 415), ("PATCH", "no type at all", 415),
        ("DELETE", "application/json", 400),
    ],
)  # fmt: skip
def test_a_body_of_the_wrong_type_changes_nothing(cluster: Cluster, method: str, kind: str, code: int) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        await cluster_with_one(client)
        revision = cluster.store.revision
        body = io.BytesIO(b'{"metadata":{"name":"a"}' + (b"" if method == "DELETE" else b"}"))
        async with client.request(method, f"{CONFIGMAPS}/a", data=body, headers={"Content-Type": kind}) as answer:
            assert answer.status == code, await answer.text()
            assert (await answer.json())["kind"] == "Status"
        assert cluster.store.revision == revision

    serving(cluster, scenario)


@pytest.mark.parametrize("depth", [150, 600, 950, 5000])
@pytest.mark.parametrize(
    "kind",
    [
        "application/merge-patch+json", "application/strategic-merge-patch+json", "application/json-patch+json",
        "application/apply-patch+yaml",
    ],
)  # fmt: skip
def test_a_patch_that_is_nested_deeply_is_refused(cluster: Cluster, kind: str, depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    body = f'{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a"}},"data":{nested}}}'
    if "json-patch" in kind:
        body = f'[{{"op":"add","path":"/data","value":{nested}}}]'

    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        await cluster_with_one(client)
        url = f"{CONFIGMAPS}/a?fieldManager=me"
        async with client.patch(url, data=body, headers={"Content-Type": kind}) as answer:
            said = await answer.text()
        # To an applied configuration that does not fit its kind, a real API server answers with 500 as well.
        assert 400 <= answer.status < 500 or "failed to create typed patch object" in said, said

    serving(cluster, scenario)


def test_a_body_without_a_length_is_cut_off_too(cluster: Cluster) -> None:
    async def endless() -> Any:
        for _ in range(160):
            yield b"x" * 65536

    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        async with client.post(CONFIGMAPS, data=endless(), headers=JSON) as answer:
            assert (answer.status, (await answer.json())["reason"]) == (413, "RequestEntityTooLarge")

    serving(cluster, scenario)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            head("POST", CONFIGMAPS, "Content-Type: application/json", "Content-Length: 500") + b"{", id="length"
        ),
        pytest.param(
            head("POST", CONFIGMAPS, "Content-Type: application/json", "Transfer-Encoding: chunked") + b"5\r\n{",
            id="chunk",
        ),
    ],
)
def test_a_body_that_ends_before_its_time_changes_nothing(cluster: Cluster, sent: bytes) -> None:
    revision = cluster.store.revision

    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        _, writer = await opened(address)
        writer.write(sent)
        await writer.drain()
        writer.transport.abort()

    serving(cluster, scenario)
    assert cluster.store.revision == revision


@pytest.mark.parametrize(
    ("method", "code"), [("TRACE", b"405"), ("OPTIONS", b"405"), ("LOCK", b"405"), ("BREW", b"400"), ("g e t", b"400")]
)
@pytest.mark.parametrize("path", [CONFIGMAPS, f"{CONFIGMAPS}/a"])
def test_a_verb_that_there_is_not_is_not_allowed(cluster: Cluster, method: str, code: bytes, path: str) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        reader, writer = await opened(address)
        writer.write(head(method, path, "Connection: close"))
        answer = await reader.read()
        writer.close()
        assert answer.split()[1] == code, answer[:200]

    serving(cluster, scenario)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=many", 400),
        ("timeoutSeconds=soon&watch=1", 400),
        ("labelSelector=a%20b%20c", 400),
        ("labelSelector=" + "a," * 30 + "%21%21", 400),
        ("fieldSelector=spec.horn%3D1", 400),
        ("resourceVersion=-1", 400),
        ("resourceVersion=99999999999999999999999999", 400),
        ("continue=%00%ff", 400),
        ("sendInitialEvents=perhaps&watch=1", 422),
        ("includeObject=All", 400),
        ("&".join(["a=b"] * 5000), 400),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(cluster: Cluster, query: str, code: int) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        headers = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"} if "includeObject" in query else {}
        await cluster_with_one(client)
        async with client.get(URL(f"{CONFIGMAPS}?{query}", encoded=True), headers=headers) as answer:
            assert answer.status == code, await answer.text()

    serving(cluster, scenario)


async def cluster_with_one(client: aiohttp.ClientSession) -> None:
    async with client.post(CONFIGMAPS, json=CONFIGMAP) as answer:
        assert answer.status == 201


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/%ff%fe/configmaps/a",
        "/api/v1/namespaces/default/configmaps/..%2f..%2fsecrets",
        "/api/v1/namespaces/default/configmaps/" + "a" * 20_000,
        "/api/v1/namespaces/default/configmaps/a%00b",
        "//////",
        "/api/v1/namespaces//configmaps//",
    ],
)
def test_a_path_that_leads_nowhere_is_not_found(cluster: Cluster, path: str) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        reader, writer = await opened(address)
        writer.write(head("GET", path, "Connection: close"))
        answer = await reader.read()
        writer.close()
        assert answer.split()[1] in (b"400", b"404", b"405"), answer[:300]

    serving(cluster, scenario)


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="HTTP without TLS"),
        pytest.param(bytes(range(256)) * 40, id="noise"),
        pytest.param(b"\x16\x03\x01\xff\xff" + b"\x00" * 70_000, id="an endless hello"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_garbage_on_the_tls_port_is_dropped(cluster: Cluster, garbage: bytes) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        reader, writer = await opened(address, tls=False)
        writer.write(garbage)
        writer.write_eof()
        try:
            answer = await reader.read()
        except ConnectionError:
            answer = b""
        assert not answer.startswith(b"HTTP/1.1 2")
        writer.close()

    serving(cluster, scenario)


def test_clients_that_send_a_header_byte_by_byte_hold_up_nobody(cluster: Cluster) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        slow = [await opened(address) for _ in range(20)]
        for byte in head("GET", CONFIGMAPS)[:40]:
            for _, writer in slow:
                writer.write(bytes([byte]))
        async with client.get(CONFIGMAPS, timeout=aiohttp.ClientTimeout(120)) as answer:
            assert answer.status == 200
        for _, writer in slow:
            writer.transport.abort()

    serving(cluster, scenario)


def test_two_thousand_idle_watches_leave_the_server_quick(cluster: Cluster) -> None:
    count = 2000
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 2 * count + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"{needed} open files are not allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))

    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        watching = []
        for _ in range(count):
            reader, writer = await opened(address, tls=False)
            writer.write(head("GET", f"{CONFIGMAPS}?watch=1&resourceVersion={cluster.store.revision}"))
            watching.append((reader, writer))
        for reader, _ in watching:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        begun = time.process_time()  # which does not pass while the machine does something else
        for _ in range(20):
            async with client.get(f"{CONFIGMAPS}/none") as answer:
                assert answer.status == 404
        assert time.process_time() - begun < 5
        await cluster_with_one(client)
        for reader, writer in watching:
            assert b'"type":"ADDED"' in await reader.readuntil(b"}}\n")
            writer.transport.abort()

    try:
        serving(cluster, scenario, tls=False)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_client_that_stops_reading_keeps_nobody_waiting(cluster: Cluster) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        reader, writer = await opened(address)
        writer.write(head("GET", f"{CONFIGMAPS}?watch=1"))
        await reader.readuntil(b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        large = {**CONFIGMAP, "data": {"x": "y" * 900_000}}
        for number in range(15):
            body = {**large, "metadata": {"name": f"c{number}"}}
            async with client.post(CONFIGMAPS, json=body, timeout=aiohttp.ClientTimeout(120)) as answer:
                assert answer.status == 201
        writer.transport.abort()

    serving(cluster, scenario)


def test_a_bug_in_a_component_is_logged_and_the_server_goes_on(
    cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("a bug in a component")

    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(cluster, "settle", broken)
            await cluster_with_one(client)
            async with client.get(f"{CONFIGMAPS}/a") as answer:
                assert answer.status == 200

    serving(cluster, scenario)
    assert "a bug in a component" in caplog.text and "Traceback" in caplog.text


def test_a_bug_in_the_api_server_is_an_internal_error_with_a_traceback_in_the_log(
    cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("no such thing")

    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(cluster.store, "range", broken)
            async with client.get(CONFIGMAPS) as answer:
                status = await answer.json()
                assert (answer.status, status["reason"]) == (500, "InternalError")
                assert status["message"].startswith("Internal error occurred: KeyError")

    serving(cluster, scenario)
    assert "Traceback" in caplog.text


def test_a_client_that_trusts_another_authority_says_so(cluster: Cluster) -> None:
    async def scenario(address: Address, client: aiohttp.ClientSession) -> None:
        port = int(address.url.rpartition(":")[2])
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())

    serving(cluster, scenario)
