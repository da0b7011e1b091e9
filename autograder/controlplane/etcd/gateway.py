"""The way to a real etcd: questions and answers over its HTTP gateway, and the feed of everything that happens in it.

The client is ``etcd3gw`` (OpenStack's, released regularly, pure Python over etcd's own HTTP gateway): the gRPC clients
on PyPI are either unmaintained or bring compiled parts that break with every new protobuf.
"""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import threading
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import requests
from etcd3gw.client import Etcd3Client
from etcd3gw.exceptions import ConnectionFailedError, ConnectionTimeoutError, Etcd3Exception

from autograder.controlplane.etcd.store import UNREACHABLE, StoreFailure

#: How long one request to etcd may take, in seconds.
PATIENCE: Final = 5.0
#: The same for an etcd that has not answered the one before, and how long it is then left alone.  All components and
#: clients of a cluster wait in one line: if each had the whole patience, none would ever be heard.
IMPATIENCE: Final = 2.0
REST: Final = 2.0
#: How long to wait before etcd is tried again, in seconds.
_PAUSE: Final = 0.1
#: In etcd's ranges: from the first key there can be, to the end.
ALL: Final = {"key": "AA==", "range_end": "AA=="}

TIMED_OUT: Final = "etcdserver: request timed out"


class Batch(NamedTuple):
    """What came in one message of etcd's watch; ``compacted`` says that the events before are gone."""

    events: list[dict[str, Any]]
    compacted: bool


class Feed:
    """Everything that happens in an etcd after a revision, read in a thread and handed over in order.

    ``failure`` says why nothing comes at the moment, and is empty while all is well.
    """

    def __init__(self, etcd: Gateway, after: int) -> None:
        self._etcd = etcd
        self._after = after
        self._batches: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self._resumed = threading.Event()
        self._closed = threading.Event()
        self._connected = threading.Event()
        self._response: requests.Response | None = None
        self.failure = ""
        self._thread = threading.Thread(target=self._run, name="etcd-watch", daemon=True)
        self._thread.start()
        self._connected.wait(PATIENCE)

    def next(self, patience: float = 0) -> Batch | None:
        """The next batch, or None when none comes within ``patience`` seconds."""
        try:
            return self._batches.get(timeout=patience) if patience else self._batches.get_nowait()
        except queue.Empty:
            return None

    def resume(self, after: int) -> None:
        """Go on after a revision, once a gap in the history has been bridged."""
        self._after = after
        self._resumed.set()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._resumed.set()
        if self._response is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):  # it may have come to its end by itself
                self._response.raw.shutdown()
        self._thread.join(PATIENCE)
        self._etcd.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._follow()
            except (StoreFailure, requests.RequestException, ValueError) as error:
                self.failure = str(error) if isinstance(error, StoreFailure) else self._etcd.unreachable
            self._closed.wait(_PAUSE)

    def _follow(self) -> None:
        """Read one watch of etcd to its end."""
        create = {"create_request": {**ALL, "start_revision": str(self._after + 1)}}
        with self._etcd.stream("/watch", create) as self._response:
            for line in self._response.iter_lines(chunk_size=1 << 16):
                result = json.loads(line).get("result")
                if result is None:  # etcd says that it ends
                    break
                if result.get("created"):
                    self.failure = ""
                    self._connected.set()
                elif int(result.get("compact_revision", 0)):
                    self._resumed.clear()
                    self._batches.put(Batch([], compacted=True))
                    self._resumed.wait()
                    return
                elif events := result.get("events"):
                    self._batches.put(Batch(events, compacted=False))
                    self._after = int(events[-1]["kv"]["mod_revision"])
        raise StoreFailure(self._etcd.unreachable)


class Gateway:
    """The way to etcd; whatever goes wrong on it is a ``StoreFailure``."""

    def __init__(self, host: str, port: int) -> None:
        session = requests.Session()
        session.trust_env = False  # an etcd on this machine is not behind a proxy
        self._client = Etcd3Client(host, port, timeout=PATIENCE, api_path="/v3/", session=session)
        self._asked_in_vain: float | None = None
        self.unreachable = UNREACHABLE.format(host=host, port=port)

    def ask(self, path: str, question: Mapping[str, Any]) -> Any:
        """What etcd answers to one question; raises ``StoreFailure``, at once if it has just not answered another."""
        if self._asked_in_vain is not None and time.monotonic() - self._asked_in_vain < REST:
            raise StoreFailure(TIMED_OUT)
        self._client.timeout = PATIENCE if self._asked_in_vain is None else IMPATIENCE
        try:
            answer = self._client.post(self._client.get_url(path), json=question)
        except ConnectionTimeoutError as error:
            self._asked_in_vain = time.monotonic()
            raise StoreFailure(TIMED_OUT) from error
        except (ConnectionFailedError, requests.RequestException) as error:
            raise StoreFailure(self.unreachable) from error
        except Etcd3Exception as error:
            raise StoreFailure(_said(error)) from error
        self._asked_in_vain = None
        return answer

    def stream(self, path: str, question: Mapping[str, Any]) -> requests.Response:
        """An answer that goes on and on."""
        url = self._client.get_url(path)
        return self._client.session.post(url, json=question, stream=True, timeout=(PATIENCE, None))

    def close(self) -> None:
        """Let the connections go."""
        self._client.session.close()


def _said(error: Etcd3Exception) -> str:
    """The words of etcd in an answer that is an error."""
    try:
        return str(json.loads(error.detail_text or "")["message"])
    except (ValueError, KeyError, TypeError):
        return f"etcdserver: {error}"


def encode(text: str) -> str:
    """Bytes as the gateway's JSON carries them."""
    return base64.b64encode(text.encode()).decode()


def decode(text: str) -> str:
    """Text out of the gateway's JSON; what is no UTF-8 is replaced."""
    return base64.b64decode(text).decode("utf-8", "replace")
