"""The way to a cluster that somebody else runs: requests through the official Kubernetes client, JSON in, text out.

One client serves a process.  What the API server refuses is raised as the ``StatusError`` that the embedded one would
raise; what keeps us from asking it (no connection, credentials that it does not take, rights that we lack, a server
that cannot answer now) is a ``ClusterError``, so that nobody takes it for a refusal of the object.

Requests that can do no harm twice are sent again for a while, so that a control plane may be restarted meanwhile.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from autograder.clusters.interface import ClusterError, Object
from autograder.clusters.scratch import Scratch
from autograder.controlplane.apimachinery.errors import (
    Forbidden,
    InternalError,
    NotFound,
    NotImplemented501,
    StatusError,
    TooManyRequests,
    Unauthorized,
)
from autograder.controlplane.apimachinery.scheme import ResourceType, resource

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration

#: Seconds to connect, and to wait for an answer.
TIMEOUTS: Final = (10, 60)
#: Seconds to wait for an answer from a server that has not answered for so long that it was given up.
IMPATIENT: Final = 10
#: Seconds to wait before a request is sent again, one entry for each time: until a restarted API server is back.
PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
#: Seconds after which it is not sent again, however many times that was.
PERSEVERANCE: Final = 20.0
ACCESS_REVIEWS: Final = resource("selfsubjectaccessreviews", "authorization.k8s.io")
_VERBS: Final = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
#: What an eviction says that a PodDisruptionBudget forbids: an answer, and no server that is busy.
_BUDGET: Final = "DisruptionBudget"


class NoConnection(ClusterError):
    """There is no way to the API server, or it was lost.  ``unsent``: the request has certainly not arrived."""

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent


class Connection:
    """Requests to the cluster of one context of a kubeconfig file, as the user who stands there.

    ``interruptions`` counts the times that the cluster did not answer, and ``last_interruption`` says why.
    """

    #: Whether we stopped the API server, or what it needs, ourselves: then its failures are what was asked for.
    stopped = False
    #: Seconds to wait for an answer, at most.
    patience: float = math.inf
    #: Raises ``ClusterError`` if it is known that the cluster will never answer again.
    look: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self, path: Path, context: str = "") -> None:
        """``context`` may be left out where the file has only one.  Raises ``ClusterError``."""
        self.path = path
        self.context = context or _only_context(path)
        self._client: ApiClient | None = None
        self._pid = 0
        self._reached = False  # a server that never answered is not waited for: the address may be wrong
        self._is_given_up = False
        self.interruptions = 0
        self.last_interruption = ""

    def send(
        self,
        method: str,
        kind: ResourceType,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> str:
        """The text of the answer to one request.  Raises ``StatusError`` and ``ClusterError``."""
        if name in (".", ".."):  # no object has such a name, and a path with it means another object
            raise NotFound.on(kind.plural, kind.group, name)
        path = kind.path(quote(namespace, safe=""), quote(name, safe=""), subresource)
        path += f"?{urlencode(query)}" if query else ""
        try:
            return self._persevere(method, path, body, content_type)
        except Unauthorized as error:
            raise ClusterError(f"the cluster does not accept the credentials of {self._where}: {error}") from error
        except Forbidden as error:
            if kind != ACCESS_REVIEWS and not self._may(method, kind, namespace, name, subresource):
                raise ClusterError(f"the user of {self._where} may not do this: {error}") from error
            raise

    def _persevere(self, method: str, path: str, body: Any, content_type: str) -> str:
        """One answer; while there is none and it does no harm to ask again, ask again."""
        begin = time.monotonic()
        self._look()
        for pause in (*PAUSES, None):
            try:
                text = self._exchange(method, path, body, content_type)
            except NoConnection as lost:
                self._interrupted(lost)
                if not self._reached or not (lost.unsent or method == "GET") or self._is_enough(pause, begin):
                    raise
            except StatusError as error:
                self._reached = True
                if self.stopped or not is_no_answer(error):
                    self._is_given_up = False
                    raise
                busy = error.code == TooManyRequests.code
                trouble = ClusterError(f"the cluster of {self._where} cannot answer now ({error.code}): {error}")
                if not busy:
                    self._interrupted(trouble)
                if not (busy or method == "GET") or self._is_enough(pause, begin):
                    raise trouble from error
            else:
                self._reached, self._is_given_up = True, False
                return text
            time.sleep(pause or 0)
        raise AssertionError("unreachable")

    def _is_enough(self, pause: float | None, begin: float) -> bool:
        """Whether nobody should ask again: then the next request is sent once, until one is answered."""
        is_enough = pause is None or time.monotonic() - begin > PERSEVERANCE
        self._is_given_up = (self._is_given_up or is_enough) and not self.stopped
        return self._is_given_up or is_enough

    def _interrupted(self, why: ClusterError) -> None:
        self.interruptions += 1
        self.last_interruption = str(why)
        self._look()

    def _look(self) -> None:
        if not self.stopped:
            self.look()

    def _may(self, method: str, kind: ResourceType, namespace: str, name: str, subresource: str) -> bool:
        """Whether we have the right to do this, so that what refuses it is a rule about objects, such as a quota."""
        attributes = {
            "verb": _VERBS[method] if name or method != "GET" else "list", "group": kind.group,
            "resource": kind.plural, "subresource": subresource, "namespace": namespace, "name": name,
        }  # fmt: skip
        review = {
            "apiVersion": ACCESS_REVIEWS.api_version, "kind": ACCESS_REVIEWS.kind,
            "spec": {"resourceAttributes": attributes},
        }  # fmt: skip
        answer = json.loads(self.send("POST", ACCESS_REVIEWS, body=review))
        return bool(answer["status"]["allowed"])

    def _exchange(self, method: str, path: str, body: Any, content_type: str) -> str:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        client = self._api_client()
        headers = {"Content-Type": content_type, "Accept": "application/json, */*"}
        parts = client.param_serialize(method, path, header_params=headers, body=body, auth_settings=["BearerToken"])
        try:
            response = client.call_api(*parts, _request_timeout=self._timeouts)
            data: bytes = response.read() or b""  # type: ignore[no-untyped-call]
        except (HTTPError, OSError, ApiException) as error:
            why, unsent = why_no_answer(error, self._timeouts[1])
            raise NoConnection(f"no connection to the cluster of {self._where}: {why}", unsent=unsent) from error
        text = data.decode("utf-8", "replace")
        if response.status >= 300:
            raise error_of(response.status, text)
        return text

    def _api_client(self) -> ApiClient:
        """The client of this process: a process that was forked must not share connections with its parent."""
        if self._client is None or self._pid != os.getpid():
            from kubernetes.client import ApiClient
            from urllib3 import Retry

            configuration = configured(self.path, self.context)
            configuration.retries = Retry(0, redirect=0)  # sending again is our business
            try:
                self._client = ApiClient(configuration)
            except (OSError, ValueError) as error:
                raise ClusterError(f"{self._where} cannot be used: {error}") from error
            self._pid = os.getpid()
        return self._client

    @property
    def _timeouts(self) -> tuple[float, float]:
        connect, answer = TIMEOUTS
        return connect, min(answer, IMPATIENT if self._is_given_up else self.patience)

    @property
    def _where(self) -> str:
        return f"context {self.context!r} in {self.path}"


def configured(path: Path, context: str) -> Configuration:
    """What the official client needs to know of a context of a kubeconfig file.  Raises ``ClusterError``."""
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, load_kube_config

    configuration = Configuration()
    folder = str(_keys().path)
    try:
        load_kube_config(str(path), context, configuration, False, folder)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError) as error:
        raise ClusterError(f"context {context!r} in {path} cannot be used: {error}") from error
    return configuration


@cache
def _keys() -> Scratch:
    """Where the client writes the keys of kubeconfig files, since TLS reads them from files; they go with this process.

    It finds them again by what is in them, and so must not lose them before.
    """
    return Scratch()


def error_of(code: int, text: str) -> StatusError:
    """The exception of the API that a ``Status`` stands for; an answer that is none is the server's own failure."""
    try:
        status: Object = json.loads(text)
        reason, message = status.get("reason", ""), str(status["message"])
    except (ValueError, KeyError, AttributeError, TypeError):
        return InternalError(f"the server answered with the code {code} and {text[:200]!r}")
    known = {error.reason: error for error in _tree(StatusError) if error.reason}
    alike = {error.code: error for error in _tree(StatusError) if error.reason}
    error = known.get(reason) or alike.get(code) or InternalError
    return error(message, details=status.get("details"))


def is_no_answer(error: StatusError) -> bool:
    """Whether the server did not come to look at the request: it is busy, starting, ending or broken."""
    if error.code == TooManyRequests.code:
        causes = (error.details or {}).get("causes") or ()
        return not any(cause.get("reason") == _BUDGET for cause in causes)
    return error.code >= InternalError.code and not isinstance(error, NotImplemented501)


def why_no_answer(error: Exception, seconds: float) -> tuple[str, bool]:
    """Why there was no answer in so many seconds, in a few words; and whether the request has certainly not arrived."""
    from urllib3 import exceptions

    reason = error.reason if isinstance(error, exceptions.MaxRetryError) and error.reason else error
    if isinstance(reason, exceptions.SSLError):
        return f"the TLS connection cannot be trusted or made: {reason}", True
    if isinstance(reason, exceptions.NameResolutionError):
        return f"the name of the server is not known: {reason}", True
    if isinstance(reason, exceptions.NewConnectionError):  # to some releases of urllib3 a timeout too
        return "nobody listens at the address of the server", True
    if isinstance(reason, exceptions.ConnectTimeoutError):
        return f"the server cannot be reached within {TIMEOUTS[0]} seconds", True
    if isinstance(reason, exceptions.ReadTimeoutError):
        return f"no answer within {seconds:g} seconds", False
    return f"the connection was lost ({reason})", False


def _tree(root: type[StatusError]) -> Iterator[type[StatusError]]:
    """The exceptions below ``root`` that belong to the API, and not to one part of a server."""
    for error in root.__subclasses__():
        if error.__module__ == StatusError.__module__:
            yield error
            yield from _tree(error)


def _only_context(path: Path) -> str:
    """The context of a file that has just one; where there are several, a cluster is not chosen by chance."""
    from kubernetes.config import ConfigException, list_kube_config_contexts

    try:
        contexts, _ = list_kube_config_contexts(str(path))  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError, TypeError) as error:
        raise ClusterError(f"{path} cannot be used as a kubeconfig file: {error}") from error
    names = [context["name"] for context in contexts]
    if len(names) != 1:
        raise ClusterError(f"{path} has the contexts {', '.join(names)}; name one: kubeconfig:{path}#{names[0]}")
    only: str = names[0]
    return only
