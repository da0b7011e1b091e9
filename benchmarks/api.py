"""What the API costs: creates, reads and watches a second, in this process and over a socket with TLS, side by side.

Clients in this process are of two kinds: one that hands over bytes, as anybody does over the socket, and a component,
which is trusted and hands over objects.  The server behind the socket is a process of its own.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.cluster import Cluster

PODS = "/api/v1/namespaces/default/pods"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
COUNT = 500
LISTS = 20
JSON = {"content-type": "application/json"}


def pod(name: str) -> dict[str, Any]:
    """A Pod as students write them."""
    limits = {"cpu": "100m", "memory": "64Mi"}
    container = {"name": "web", "image": "nginx:1.27", "resources": {"limits": limits, "requests": limits}}
    metadata = {"name": name, "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


class Rates(NamedTuple):
    """How much was done a second."""

    creates: float
    gets: float
    lists: float
    events: float


class Way(NamedTuple):
    """One way to the API: create a pod by its name, get one, list all, and wait for so many events of a new watch."""

    create: Callable[[str], object]
    get: Callable[[str], object]
    list: Callable[[], object]
    watch: Callable[[int], object]


def measure(way: Way) -> Rates:
    """Go one way with everything."""
    names = [f"p{number}" for number in range(COUNT)]
    creates = _rate(COUNT, lambda: [way.create(name) for name in names])
    gets = _rate(COUNT, lambda: [way.get(name) for name in names])
    lists = _rate(LISTS, lambda: [way.list() for _ in range(LISTS)])
    events = _rate(COUNT, lambda: way.watch(COUNT))
    return Rates(creates, gets, lists, events)


def _rate(count: int, run: Callable[[], object]) -> float:
    begun = time.perf_counter()
    run()
    return count / (time.perf_counter() - begun)


def empty() -> Cluster:
    """A cluster in which nothing happens beside what the API server does."""
    cluster = Cluster(nodes=[], without=["kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"])
    cluster.client().create(scheme.SERVICEACCOUNTS, "default", ACCOUNT)
    return cluster


def by_objects() -> Way:
    """The way of a component."""
    client = empty().client(trusted=True)

    def watch(count: int) -> None:
        assert len(client.watch(scheme.PODS, "", "default").poll()) >= count

    return Way(
        lambda name: client.create(scheme.PODS, "default", pod(name)),
        lambda name: client.get(scheme.PODS, "default", name),
        lambda: client.list(scheme.PODS, "default"),
        watch,
    )


def by_bytes() -> Way:
    """The way of a client that is in this process and sends and reads JSON."""
    cluster = empty()

    def ask(method: str, path: str, body: Any = None) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        response = cluster.handle(Request(method, path, {}, JSON, data, ADMIN))
        assert response.code < 300, response.body
        return json.dumps(response.body)

    def watch(count: int) -> None:
        stream = cluster.handle(Request("GET", PODS, {"watch": ["1"]}, {}, b"", ADMIN)).stream
        assert stream is not None
        assert len([json.dumps(event.object) for event in stream.poll()]) >= count

    return Way(
        lambda name: ask("POST", PODS, pod(name)),
        lambda name: ask("GET", f"{PODS}/{name}"),
        lambda: ask("GET", PODS),
        watch,
    )


@contextlib.contextmanager
def by_socket() -> Iterator[Way]:
    """The way over TLS to a server of its own, over one connection that is kept."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (connect, headers):
        connection = connect()

        def ask(method: str, path: str, body: Any = None) -> bytes:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, path, data, headers | JSON)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status < 300, content
            return content

        def watch(count: int) -> None:
            watching = connect()
            watching.request("GET", f"{PODS}?watch=1", headers=headers)
            answer = watching.getresponse()
            for _ in range(count):
                answer.readline()
            watching.close()

        ask("POST", ACCOUNTS, ACCOUNT)
        yield Way(
            lambda name: ask("POST", PODS, pod(name)),
            lambda name: ask("GET", f"{PODS}/{name}"),
            lambda: ask("GET", PODS),
            watch,
        )
        connection.close()


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[Callable[[], http.client.HTTPSConnection], dict[str, str]]]:
    """A served cluster without nodes: how to connect to it, and the headers to send."""
    kubeconfig, nodes = folder / "kubeconfig", folder / "nodes.yaml"
    nodes.write_text("")
    components = "kube-controller-manager,kube-scheduler,kubelet,kube-proxy"
    command = [
        sys.executable, "-m", "autograder", "cluster", "serve", "--kubeconfig", str(kubeconfig), "--nodes", str(nodes),
        "--without", components, "--clock", "manual",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "ready"
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        url = urlsplit(cluster["server"])
        try:
            yield (
                lambda: http.client.HTTPSConnection(str(url.hostname), url.port, context=trust),
                {"Authorization": f"Bearer {user['token']}"},
            )
        finally:
            server.terminate()


def report() -> None:
    """Print the figures of the API."""
    objects, sent = measure(by_objects()), measure(by_bytes())
    with by_socket() as way:
        socket = measure(way)
    print(f"API, a second ({COUNT} pods; lists and watches give all of them)")
    print(f"  {'':34} {'component':>12} {'in process':>12} {'socket':>12}   in process to socket")
    labels = ("pods created", "pods read", "lists of all", "events of a watch")
    for label, *rates in zip(labels, objects, sent, socket, strict=True):
        print(f"  {label:34} {rates[0]:12,.0f} {rates[1]:12,.0f} {rates[2]:12,.0f}   {rates[1] / rates[2]:8.1f} times")


def report_memory(pods: int = 10_000) -> None:
    """Print what pods take in memory, as they are stored and as a fork shares them."""
    cluster = empty()
    client = cluster.client()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(pods):
        client.create(scheme.PODS, "default", pod(f"p{number}"))
    held = tracemalloc.get_traced_memory()[0] - before
    fork = cluster.fork()
    forked = tracemalloc.get_traced_memory()[0] - before - held
    tracemalloc.stop()
    size = len(json.dumps(fork.client().get(scheme.PODS, "default", "p0")))
    print(f"{pods:,} pods in memory")
    print(f"  all                                         {held / 1e6:9.1f} MB   {held / pods:7.0f} bytes a pod")
    print(
        f"  a pod, as JSON                              {size:9,} bytes {held / pods / size:7.1f} times that in memory"
    )
    print(f"  what a fork adds                            {forked / 1e6:9.3f} MB   {forked / held:7.2%} of it")
