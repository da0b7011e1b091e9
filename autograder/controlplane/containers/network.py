"""What travels between containers: requests and answers, and the ways in which a connection fails."""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: str
    content_type: str = "text/plain"


class HttpRequest(NamedTuple):
    """An HTTP request as a server sees it."""

    method: str
    host: str
    path: str
    headers: tuple[tuple[str, str], ...]
    source_ip: str
    source_port: int


class Source(NamedTuple):
    """Where a connection comes from: the address it has, the node it is on, and the pod it is in (or '')."""

    ip: str
    host: str
    pod_uid: str = ""


class NetworkError(Exception):
    """A connection could not be made; the message is the one of the C library."""


class Refused(NetworkError):
    """Nothing listens there, or the service has no endpoints."""

    def __init__(self) -> None:
        super().__init__("Connection refused")


class TimedOut(NetworkError):
    """Nobody answers: no machine has the address, or a policy drops the packets."""

    def __init__(self) -> None:
        super().__init__("Operation timed out")


class Unresolved(NetworkError):
    """No name server knows the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"bad address '{name}'")
        self.name = name


class NoNameServer(NetworkError):
    """No name server answers."""

    def __init__(self, name: str) -> None:
        super().__init__(f"bad address '{name}'")
        self.name = name
