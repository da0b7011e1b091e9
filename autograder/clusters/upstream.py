"""The API server behind a relay: requests as they came, with the credentials of a kubeconfig file, answers unread."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from autograder.clusters.connection import configured, why_no_answer
from autograder.clusters.interface import ClusterError
from autograder.controlplane.apimachinery.errors import ServiceUnavailable

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

#: Seconds to connect, and without a word from the API server; a watch may be silent for as long as a command lasts.
TIMEOUTS: Final = (10.0, 150.0)


class Upstream:
    """The API server of a kubeconfig file."""

    def __init__(self, kubeconfig: Path, context: str) -> None:
        from kubernetes.client import ApiClient
        from urllib3 import Timeout

        configuration: Any = configured(kubeconfig, context)  # which has no types
        try:
            self._pool = ApiClient(configuration).rest_client.pool_manager
        except (OSError, ValueError) as error:
            raise ClusterError(f"{kubeconfig} cannot be used: {error}") from error
        self._host = str(configuration.host).rstrip("/")
        settings = configuration.auth_settings().values()
        self._credentials = {one["key"]: one["value"] for one in settings if one["in"] == "header"}
        connect, read = TIMEOUTS
        self.timeout = Timeout(connect=connect, read=read)
        self._configuration = configuration

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> BaseHTTPResponse:
        """The answer, unread.  Raises ``ServiceUnavailable`` if there is none."""
        from urllib3.exceptions import HTTPError

        try:
            answer: BaseHTTPResponse = self._pool.request(
                method, self._host + path, body=body or None, headers={**headers, **self._credentials},
                preload_content=False, redirect=False, retries=False, timeout=self.timeout,
            )  # fmt: skip
        except (HTTPError, OSError) as error:
            why, _ = why_no_answer(error, TIMEOUTS[1])
            raise ServiceUnavailable(f"the API server does not answer: {why}") from error
        return answer

    def tunnel(self, method: str, path: str, headers: dict[str, str]) -> socket.socket:
        """A connection on which a request for an upgrade has been sent.  Raises ``ServiceUnavailable``."""
        url = urlsplit(self._host)
        fields = {**headers, **self._credentials, "Host": url.netloc, "Connection": "Upgrade"}
        head = [f"{method} {url.path}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        try:
            connection = self._connected(str(url.hostname), url.port, url.scheme == "https")
            connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
        except (OSError, ValueError) as error:
            raise ServiceUnavailable(f"the API server does not answer: {error}") from error
        return connection

    def _connected(self, host: str, port: int | None, secure: bool) -> socket.socket:
        connection = socket.create_connection((host, port or (443 if secure else 80)), TIMEOUTS[0])
        connection.settimeout(None)
        if not secure:
            return connection
        settings = self._configuration
        context = ssl.create_default_context(cafile=settings.ssl_ca_cert)
        if not settings.verify_ssl:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file)
        return context.wrap_socket(connection, server_hostname=settings.tls_server_name or host)

    def close(self) -> None:
        self._pool.clear()
