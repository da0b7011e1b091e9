"""What passes between a client and the API server: requests, responses and watch streams.

The API server is a function from a ``Request`` to a ``Response``.  A socket front fills ``path``, ``query`` and bytes;
an in-process client fills ``info`` and hands over objects, and is spared parsing and serialising.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.tracing import RequestTrace

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """Who asks: a name, groups, and how they proved it."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}, in {', '.join(self.groups)}" if self.groups else self.name


ADMIN = User("admin", ("system:masters", "system:authenticated"), "admin")
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What a request is about.  ``verb`` is Kubernetes' (get, list, watch, create, update, patch, delete, ...)."""

    verb: str
    group: str
    version: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@dataclass(slots=True)
class Request:
    """One request.  ``body`` is bytes as they came, or an object in normal form (``decoded``) from a component.

    ``query`` holds each parameter's values in the order given; header names are in lower case.  ``user`` is set by
    whoever authenticated the caller; None leaves that to the API server.
    """

    method: str
    path: str = ""
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Any = b""
    user: User | None = None
    info: RequestInfo | None = None
    decoded: bool = False
    #: Where each step is noted; None when nobody asked for a trace.
    trace: RequestTrace | None = None
    #: What the client is told beside the answer, be that an object or an error.
    warnings: list[str] = field(default_factory=list)

    def enter(self, step: str) -> None:
        """Tell the trace that a step begins."""
        if self.trace is not None:
            self.trace.enter(step)

    def passed(self, outcome: object = "passed") -> None:
        """Tell the trace how the step that began last has ended."""
        if self.trace is not None:
            self.trace.passed(str(outcome))

    @property
    def content_type(self) -> str:
        """The media type that the body is said to be of, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def flag(self, name: str) -> bool:
        """A boolean query parameter, as options are read: anything but ``0`` and ``false`` says yes."""
        return name in self.query and self.param(name).lower() not in ("0", "false")


class WatchEvent(NamedTuple):
    """One event of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and the object."""

    type: str
    object: Object


class WatchStream(Protocol):
    """The events of one watch, taken whenever it suits the client."""

    @property
    def revision(self) -> int:
        """A revision up to which every event has been polled; a watch from it misses and repeats nothing."""

    @property
    def ended(self) -> bool:
        """Whether the time that the client gave the watch is over; nothing more will come."""

    def poll(self) -> list[WatchEvent]:
        """What has happened since the last poll, oldest first; an ERROR event is the last one of a stream."""

    def waiting(self) -> bool:
        """Whether a poll might bring something."""


@dataclass(slots=True)
class Response:
    """One answer.  ``body`` is an object (sent as JSON), text or bytes; a watch has a ``stream`` instead.

    ``error`` is the exception behind a Status answer, so that in-process clients can raise it again.
    """

    code: int
    body: Any = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    stream: WatchStream | None = None
    error: StatusError | None = None


class Handler(Protocol):
    """The API server as a client sees it."""

    def __call__(self, request: Request) -> Response:
        """Answer one request; never raises for what a client did."""
