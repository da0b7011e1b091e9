"""What the programs of known images answer when a request reaches their port."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final, NamedTuple

from autograder.controlplane.containers.files import FileView
from autograder.controlplane.containers.network import Answer, HttpRequest
from autograder.controlplane.containers.records import Container, Listener

NGINX_VERSION: Final = "1.27.5"
_ERROR_PAGE: Final = (
    "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n"
    "<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
)
REASONS: Final = {200: "OK", 301: "Moved Permanently", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}


class Site(NamedTuple):
    """A listener of a container that a request has reached."""

    container: Container
    listener: Listener
    files: FileView
    pod_ip: str


def respond(site: Site, request: HttpRequest) -> Answer | None:
    """The answer of a server; None when it does not speak HTTP."""
    server = SERVERS.get(site.listener.kind)
    return server(site, request) if server else None


def _static(server: str) -> Callable[[Site, HttpRequest], Answer]:
    """A server of files below ``root``, with ``index.html`` for a directory."""

    def answer(site: Site, request: HttpRequest) -> Answer:
        path = posixpath.normpath("/" + request.path.partition("?")[0])
        wanted = site.listener.root.rstrip("/") + path.replace("//", "/")
        wanted = wanted.rstrip("/") or "/"
        if site.files.is_directory(wanted):
            index = wanted + "/index.html"
            if not site.files.is_file(index):
                return _error(403, server)
            return Answer(200, site.files.read(index), "text/html")
        if site.files.is_file(wanted):
            return Answer(200, site.files.read(wanted), "text/html" if wanted.endswith(".html") else "text/plain")
        return _error(404, server)

    return answer


def _error(code: int, server: str) -> Answer:
    return Answer(code, _ERROR_PAGE.format(status=f"{code} {REASONS[code]}", server=server), "text/html")


def _agnhost(site: Site, request: HttpRequest) -> Answer:
    path = request.path.partition("?")[0]
    if path == "/hostname" or site.listener.root == "serve-hostname":
        return Answer(200, site.container.hostname)
    if path == "/clientip":
        return Answer(200, f"{request.source_ip}:{request.source_port}")
    if path in ("/healthz", "/"):
        return Answer(200, "NOW: virtual" if path == "/" else "")
    return Answer(404, "404 page not found\n")


def _whoami(site: Site, request: HttpRequest) -> Answer:
    lines = [f"Hostname: {site.container.hostname}", "IP: 127.0.0.1", f"IP: {site.pod_ip}",
             f"RemoteAddr: {request.source_ip}:{request.source_port}", f"GET {request.path} HTTP/1.1",
             f"Host: {request.host}"]  # fmt: skip
    return Answer(200, "\n".join(lines) + "\n")


def _hello_app(site: Site, request: HttpRequest) -> Answer:
    version = site.container.image.tag
    return Answer(200, f"Hello, world!\nVersion: {version}.0\nHostname: {site.container.hostname}\n")


def _http_echo(site: Site, request: HttpRequest) -> Answer:
    return Answer(200, site.listener.root + "\n")


SERVERS: Final[dict[str, Callable[[Site, HttpRequest], Answer]]] = {
    "nginx": _static(f"nginx/{NGINX_VERSION}"),
    "httpd": _static("Apache"),
    "files": _static("httpd"),
    "agnhost": _agnhost,
    "whoami": _whoami,
    "hello-app": _hello_app,
    "http-echo": _http_echo,
    "healthz": lambda site, request: Answer(200, "ok"),
}
