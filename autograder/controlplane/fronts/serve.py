"""``autograder cluster serve``: an embedded cluster behind a socket, in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import secrets
import signal
import sys
import threading
from asyncio import sslproto
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from autograder.controlplane.cluster import COMPONENTS
from autograder.controlplane.etcd import Store
from autograder.controlplane.etcd.process import HOST, EtcdProcess
from autograder.controlplane.fronts import kubeconfig
from autograder.controlplane.fronts.control import Control
from autograder.controlplane.fronts.journal import BadJournalError, RecordedCluster
from autograder.controlplane.fronts.socket import SocketFront
from autograder.controlplane.kube_apiserver.backend import bare, stamp

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

EXIT_USAGE: Final = 2
#: What a TLS connection holds for reading; asyncio takes a quarter of a megabyte for each if it is not told.
_TLS_BUFFER: Final = 32 * 1024
#: No file of nodes is longer than this, in bytes.
_NODES_LIMIT: Final = 3 * 1024 * 1024
#: Nor one of a saved cluster.
_JOURNAL_LIMIT: Final = 256 * 1024 * 1024


log = logging.getLogger(__name__)


class UnusableOptionError(Exception):
    """An option that cannot be followed; the message says why."""


def serve(options: argparse.Namespace) -> int:
    """Run a cluster until SIGINT or SIGTERM; ``options`` are those of ``autograder cluster serve``.

    Returns the exit code: 0 after a signal, 2 for options that cannot be followed.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        if options.cluster != "embedded":
            raise UnusableOptionError(
                f"only embedded clusters are served here; {options.cluster!r} runs already: use its kubeconfig"
            )
        with contextlib.ExitStack() as opened:
            etcd = opened.enter_context(EtcdProcess(options.etcd)) if options.etcd else None
            cluster = _cluster(options, opened.enter_context(_store(etcd)) if etcd else None)
            _allow_many_connections()
            asyncio.run(_run(cluster, options, etcd))
    except (UnusableOptionError, OSError) as error:
        print(f"autograder cluster serve: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:  # where signals cannot be handled by the loop
        pass
    return 0


def _cluster(options: argparse.Namespace, store: Store | None) -> RecordedCluster:
    """The cluster that the options ask for. Raises ``UnusableOptionError``."""
    if not options.load:
        nodes = read_nodes(options.nodes) if options.nodes else None
        return RecordedCluster(
            nodes=nodes, without=_components(options.without), seed=options.seed, secret=secrets.token_hex(16),
            store=store,
        )  # fmt: skip
    if store:
        raise UnusableOptionError("a saved cluster cannot be loaded into an etcd: leave out --load or --etcd")
    return read_journal(options.load)


@contextlib.contextmanager
def _store(etcd: EtcdProcess) -> Iterator[Store]:
    """A store in an etcd, until the end of the server. Raises ``UnusableOptionError`` without a client for it."""
    try:
        from autograder.controlplane.etcd.remote import EtcdStore  # its client is an extra
    except ImportError as error:
        raise UnusableOptionError("--etcd needs a client: pip install 'kubernetes-autograder[etcd]'") from error
    store = EtcdStore(HOST, etcd.port, stamp, bare)
    log.info("see what it holds: ETCDCTL_API=3 etcdctl --endpoints=%s get / --prefix --keys-only", etcd.endpoint)
    try:
        yield store
    finally:
        store.close()


def read_nodes(path: Path) -> list[dict[str, Any]]:
    """The Node manifests of a file, which may be empty. Raises ``UnusableOptionError`` for anything else."""
    if path.stat().st_size > _NODES_LIMIT:
        raise UnusableOptionError(f"{path}: longer than {_NODES_LIMIT} bytes")
    try:
        documents = [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableOptionError(f"{path}: not YAML: {error}") from error
    nodes: list[dict[str, Any]] = []
    for number, document in enumerate(documents, start=1):
        listed = document.get("items") if isinstance(document, dict) and document.get("kind") == "List" else [document]
        for node in listed or ():
            if not isinstance(node, dict) or node.get("kind") != "Node" or not isinstance(node.get("metadata"), dict):
                raise UnusableOptionError(f"{path}: document {number} is no Node manifest")
            nodes.append(node)
    return nodes


def read_journal(path: Path) -> RecordedCluster:
    """The cluster that was saved in a file. Raises ``UnusableOptionError`` for anything else."""
    if path.stat().st_size > _JOURNAL_LIMIT:
        raise UnusableOptionError(f"{path}: longer than {_JOURNAL_LIMIT} bytes")
    try:
        return RecordedCluster.load(json.loads(path.read_bytes()))
    except (BadJournalError, ValueError, RecursionError) as error:
        raise UnusableOptionError(f"{path}: {error}") from error


def _components(text: str) -> tuple[str, ...]:
    """The components of ``--without``. Raises ``UnusableOptionError`` for a name that no component has."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := [name for name in names if name not in COMPONENTS]:
        raise UnusableOptionError(f"no component is called {unknown[0]!r}; there are {', '.join(COMPONENTS)}")
    return names


def _allow_many_connections() -> None:
    """Lift the limit on open files as far as the system lets us, and make connections small: every watch is one."""
    sslproto.SSLProtocol.max_size = _TLS_BUFFER
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _run(cluster: RecordedCluster, options: argparse.Namespace, etcd: EtcdProcess | None) -> None:
    """Serve until a signal comes."""
    stopped = asyncio.Event()
    with contextlib.suppress(NotImplementedError):  # Windows
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if options.until_eof:
        _watch_stdin(asyncio.get_running_loop(), stopped)
    control = Control(cluster, stopped.set, etcd)
    front = SocketFront(cluster, secrets.token_urlsafe(24), port=options.port, mode=options.clock, control=control)
    control.certify = front.client_certificate
    address = await front.start()
    try:
        kubeconfig.write(options.kubeconfig, address.kubeconfig())
        print("ready", flush=True)
        waiting = {asyncio.create_task(stopped.wait()), asyncio.create_task(front.failed())}
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        for task in done:
            task.result()
    finally:
        await front.close()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
    """Stop when standard input ends: with the process at its other end, however that came to its end."""

    def read() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop may have ended before
            loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=read, name="stdin", daemon=True).start()
