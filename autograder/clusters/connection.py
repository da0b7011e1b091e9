"""The way to a cluster that somebody else runs: requests through the official Kubernetes client, JSON in, text out.

One client serves a process.  What the API server refuses is raised as the ``StatusError`` that the embedded one would
raise; what keeps us from asking it (no connection, credentials that it does not take, rights that we lack) is a
``ClusterError``, so that nobody takes it for a refusal of the object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from autograder.clusters.interface import ClusterError, Object
from autograder.controlplane.apimachinery.errors import Forbidden, InternalError, NotFound, StatusError, Unauthorized
from autograder.controlplane.apimachinery.scheme import ResourceType, resource

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

#: Seconds to connect, and to wait for an answer.
TIMEOUTS: Final = (10, 60)
ACCESS_REVIEWS: Final = resource("selfsubjectaccessreviews", "authorization.k8s.io")
_VERBS: Final = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}


class Connection:
    """Requests to the cluster of one context of a kubeconfig file, as the user who stands there."""

    def __init__(self, path: Path, context: str = "") -> None:
        """``context`` may be left out where the file has only one.  Raises ``ClusterError``."""
        self.path = path
        self.context = context or _only_context(path)
        self._client: ApiClient | None = None
        self._pid = 0

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
            return self._exchange(method, path, body, content_type)
        except Unauthorized as error:
            raise ClusterError(f"the cluster does not accept the credentials of {self._where}: {error}") from error
        except Forbidden as error:
            if kind != ACCESS_REVIEWS and not self._may(method, kind, namespace, name, subresource):
                raise ClusterError(f"the user of {self._where} may not do this: {error}") from error
            raise

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
            response = client.call_api(*parts, _request_timeout=TIMEOUTS)
            data: bytes = response.read() or b""  # type: ignore[no-untyped-call]
        except (HTTPError, OSError, ApiException) as error:
            raise ClusterError(f"no connection to the cluster of {self._where}: {error}") from error
        text = data.decode("utf-8", "replace")
        if response.status >= 300:
            raise error_of(response.status, text)
        return text

    def _api_client(self) -> ApiClient:
        """The client of this process: a process that was forked must not share connections with its parent."""
        if self._client is None or self._pid != os.getpid():
            from kubernetes.config import ConfigException, new_client_from_config

            try:
                self._client = new_client_from_config(str(self.path), self.context, False)  # type: ignore[no-untyped-call]
            except (ConfigException, OSError, ValueError) as error:
                raise ClusterError(f"{self._where} cannot be used: {error}") from error
            self._pid = os.getpid()
        return self._client

    @property
    def _where(self) -> str:
        return f"context {self.context!r} in {self.path}"


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
