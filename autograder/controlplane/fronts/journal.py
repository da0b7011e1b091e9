"""A cluster that writes down everything that reaches it from outside, so that it can be saved and begun again.

A cluster is deterministic: the same requests at the same virtual times give the same bytes.  What is saved is
therefore not its state but its journal, as plain JSON: how it was booted, every request that may change something,
every component that was stopped.  Loading boots a cluster and lets all of that happen again; caches, containers and
timers come with it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self

from autograder.controlplane.apimachinery.wire import ADMIN, Object, Request, Response, User
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.etcd import Store
from autograder.controlplane.node_shell import NodeOutput

FORMAT: Final = "autograder-cluster/v1"
#: Bytes of request bodies that are kept; a cluster that was sent more cannot be saved.
LIMIT: Final = 64 * 1024 * 1024
#: What happens to a cluster beside requests, and the one argument that it has.
EVENTS: Final = ("stop", "start", "power_off", "power_on")
API_SERVER: Final = "kube-apiserver"
_READING: Final = ("GET", "HEAD", "OPTIONS")
#: Requests that change something whatever their method: they run commands in containers.
_RUNNING: Final = ("exec", "attach")
#: The administrator's token is no part of a cluster; those of service accounts are, and hold in its copy too.
_SECRET: Final = "authorization"
#: What somebody without any right is answered.
_REFUSED: Final = (401, 403)

Entry = dict[str, Any]


class CannotSaveError(Exception):
    """The cluster cannot be saved; the message says why."""


class BadJournalError(ValueError):
    """What was to be loaded is no saved cluster; the message says what is wrong."""


class RecordedCluster:
    """A cluster and its journal.  Everything that changes the cluster goes through here.

    The cluster is kept in ``store``, or in this process; what is loaded from a journal always is.
    """

    def __init__(
        self, *, seed: int = 0, nodes: Sequence[Object] | None = None, without: Sequence[str] = (), secret: str = "",
        store: Store | None = None,
    ) -> None:  # fmt: skip
        self._boot = {
            "seed": seed, "nodes": None if nodes is None else list(nodes), "without": list(without), "secret": secret,
        }  # fmt: skip
        self._cluster = Cluster(seed=seed, nodes=nodes, without=without, secret=secret, store=store)
        self.clock = self._cluster.clock
        self._entries: list[Entry] = []
        self._size = 0

    def handle(self, request: Request) -> Response:
        """Answer one request of a client, and note it if it may change something.

        What a stranger was refused is not noted, lest he fill the journal.
        """
        changing = request.method not in _READING or request.path.rpartition("/")[2] in _RUNNING
        if changing and request.user is not None:
            self._note_request(request)
        response = self._cluster.handle(request)
        if changing and request.user is None and response.code not in _REFUSED:
            self._note_request(request)
        return response

    def settle(self) -> None:
        """Let every component work until nothing is left to do at this moment."""
        self._cluster.settle()

    def advance(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._cluster.advance(seconds)

    def run_to(self, due: int) -> None:
        """Let virtual time pass up to a moment, in microseconds."""
        self._cluster.run_to(due)

    def running(self) -> tuple[str, ...]:
        """The names of the components that are running, the API server first."""
        server = (API_SERVER,) if self._cluster.api.available else ()
        return (*server, *(name for name in self._cluster.running() if name != API_SERVER))

    def has_store(self) -> bool:
        """Whether the cluster's store answers."""
        return not self._cluster.store.failure

    def inside(self) -> Cluster:
        """The cluster itself, for looks that change nothing."""
        return self._cluster

    def act(self, event: str, target: str) -> None:
        """Stop or start a component, or take or give a node's power; ``event`` is one of ``EVENTS``.

        Raises ``ValueError`` or ``KeyError`` for a target that there is not.
        """
        method: Callable[[str], None] = getattr(self._cluster, event)
        method(target)
        self._entries.append({"at": self.clock.now, "event": event, "target": target})

    def run_on_node(self, node: str, command: str) -> NodeOutput:
        """Run a command line in a shell on a node; raises ``ValueError`` for a node that has no machine."""
        output = self._cluster.node_shell(node, command)
        self._size += len(command)
        self._entries.append({"at": self.clock.now, "node": node, "command": command})
        return output

    def save(self) -> dict[str, Any]:
        """The journal as JSON.  Raises ``CannotSaveError`` for a cluster that was sent too much."""
        if self._size > LIMIT:
            raise CannotSaveError(f"more than {LIMIT >> 20} MiB were sent to this cluster, too much to be saved")
        return {"format": FORMAT, "boot": self._boot, "now": self.clock.now, "entries": list(self._entries)}

    @classmethod
    def load(cls, journal: object) -> Self:
        """A cluster that has gone through everything in a journal.  Raises ``BadJournalError``."""
        if not isinstance(journal, dict) or journal.get("format") != FORMAT:
            raise BadJournalError(f"this is no saved cluster: its `format` is not {FORMAT}")
        try:
            cluster = cls(**journal["boot"])
            for entry in journal["entries"]:
                cluster._repeat(entry)
            cluster._cluster.run_to(int(journal["now"]))
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
            raise BadJournalError(f"this saved cluster cannot be read: {type(error).__name__}: {error}") from error
        return cluster

    def _note_request(self, request: Request) -> None:
        self._size += len(request.body)
        if self._size > LIMIT:
            self._entries.clear()
            return
        known = request.user is not None
        headers = {name: value for name, value in request.headers.items() if not (known and name == _SECRET)}
        query = {name: list(values) for name, values in request.query.items()}
        body = base64.b64encode(request.body).decode()
        self._entries.append(
            {"at": self.clock.now, "method": request.method, "path": request.path, "query": query,
             "headers": headers, "body": body, "user": _described(request.user)}
        )  # fmt: skip

    def _repeat(self, entry: Mapping[str, Any]) -> None:
        self._cluster.run_to(int(entry["at"]))
        if "event" in entry:
            if entry["event"] not in EVENTS:
                raise BadJournalError(f"nothing is known of an event {entry['event']!r}")
            self.act(entry["event"], entry["target"])
        elif "command" in entry:
            self.run_on_node(entry["node"], entry["command"])
        else:
            body = base64.b64decode(entry["body"], validate=True)
            user = _user(entry["user"])
            request = Request(entry["method"], entry["path"], entry["query"], entry["headers"], body, user)
            self.handle(request)
        self._cluster.settle()


def _described(user: User | None) -> Entry | None:
    """A user as JSON; None for somebody whom the API server has to find out about."""
    if user is None:
        return None
    extra = {key: list(values) for key, values in user.extra.items()}
    return {"name": user.name, "groups": list(user.groups), "uid": user.uid, "extra": extra}


def _user(described: Entry | None) -> User | None:
    if described is None:
        return None
    extra = {key: tuple(values) for key, values in described["extra"].items()}
    user = User(described["name"], tuple(described["groups"]), described["uid"], extra)
    return ADMIN if user == ADMIN else user
