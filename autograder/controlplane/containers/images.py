"""The images that the simulated registries hold, and what is in them: a catalogue, as data.

A tag that is not in the catalogue does not exist: pulling it fails with the words of containerd.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from autograder.controlplane.apimachinery.images import parse_image
from autograder.controlplane.clock import SECOND

NGINX_PAGE: Final = """<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>
</body>
</html>
"""
HTTPD_PAGE: Final = "<html><body><h1>It works!</h1></body></html>\n"

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Bytes that a node pulls in a second.
PULL_SPEED: Final = 40_000_000
PULL_OVERHEAD: Final = SECOND

#: Commands in every image with a shell, in a BusyBox, and in the Debian of the larger images.
SHELL_TOOLS: Final = frozenset(
    "[ basename cat chmod chown cp cut date dirname echo env false find grep head hostname id kill ls md5sum mkdir mv "
    "nohup printenv printf pwd rm sed seq sh sha256sum sleep sort tail tee test timeout touch tr true uname uniq wc "
    "which whoami xargs yes".split()
)
BUSYBOX_TOOLS: Final = SHELL_TOOLS | frozenset("busybox httpd nc nslookup ping ps wget".split())
DEBIAN_TOOLS: Final = SHELL_TOOLS | {"bash"}


@dataclass(frozen=True, slots=True)
class Image:
    """What one tag of a repository holds.

    ``argv`` is entrypoint plus command; ``tools`` are the commands that can be run in it, besides the program that the
    image is for; ``server`` names what that program serves (see ``servers``), on ``port``.
    """

    name: str
    tag: str
    size: int
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    tools: frozenset[str] = frozenset()
    server: str = ""
    port: int = 0
    user: int = 0
    workdir: str = "/"
    env: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    preloaded: bool = False

    @property
    def reference(self) -> str:
        """``docker.io/library/nginx:1.27``."""
        return f"{self.name}:{self.tag}"

    @property
    def digest(self) -> str:
        """The digest of the manifest, which is what a registry knows the image by."""
        return _sha256(f"manifest {self.reference}")

    @property
    def id(self) -> str:
        """The digest of the image's configuration, which is what the node knows it by."""
        return _sha256(f"config {self.reference}")

    @property
    def pull_time(self) -> int:
        """Microseconds that a node takes to pull it."""
        return PULL_OVERHEAD + self.size * SECOND // PULL_SPEED


def _family(base: Image, tags: str, preloaded: str = "") -> dict[str, Image]:
    """One image for each tag; its size differs a little from tag to tag, as they do."""
    images = {}
    for number, tag in enumerate(tags.split()):
        size = base.size // 4 if "alpine" in tag else base.size
        tools = BUSYBOX_TOOLS | (base.tools - DEBIAN_TOOLS) if "alpine" in tag else base.tools
        image = replace(base, tag=tag, size=size + 1013 * number, tools=tools, preloaded=tag in preloaded.split())
        images[image.reference] = image
    return images


_LIBRARY = "docker.io/library/"
_K8S = "registry.k8s.io/"

_NGINX = Image(
    _LIBRARY + "nginx", "", 72_000_000, ("/docker-entrypoint.sh",), ("nginx", "-g", "daemon off;"),
    DEBIAN_TOOLS | {"curl", "nginx"}, "nginx", 80,
    files=MappingProxyType({
        "/usr/share/nginx/html/index.html": NGINX_PAGE,
        "/etc/nginx/conf.d/default.conf": "server {\n    listen 80;\n    root /usr/share/nginx/html;\n}\n",
    }),
)  # fmt: skip
_BUSYBOX = Image(_LIBRARY + "busybox", "", 2_160_000, (), ("sh",), BUSYBOX_TOOLS)
_ALPINE = Image(_LIBRARY + "alpine", "", 3_800_000, (), ("/bin/sh",), BUSYBOX_TOOLS)
_UBUNTU = Image(_LIBRARY + "ubuntu", "", 29_700_000, (), ("/bin/bash",), DEBIAN_TOOLS | {"ps"})
_DEBIAN = replace(_UBUNTU, name=_LIBRARY + "debian", size=48_500_000, command=("bash",))
_HTTPD = Image(
    _LIBRARY + "httpd", "", 58_000_000, (), ("httpd-foreground",), DEBIAN_TOOLS | {"httpd-foreground"}, "httpd", 80,
    workdir="/usr/local/apache2", files=MappingProxyType({"/usr/local/apache2/htdocs/index.html": HTTPD_PAGE}),
)  # fmt: skip
_REDIS = Image(
    _LIBRARY + "redis", "", 45_000_000, ("docker-entrypoint.sh",), ("redis-server",),
    DEBIAN_TOOLS | {"redis-cli", "redis-server"}, "tcp", 6379, workdir="/data",
)  # fmt: skip
_MYSQL = Image(
    _LIBRARY + "mysql", "", 230_000_000, ("docker-entrypoint.sh",), ("mysqld",), DEBIAN_TOOLS | {"mysqld"}, "tcp", 3306
)
_POSTGRES = Image(
    _LIBRARY + "postgres", "", 150_000_000, ("docker-entrypoint.sh",), ("postgres",), DEBIAN_TOOLS | {"postgres"},
    "tcp", 5432,
)  # fmt: skip
_MONGO = replace(_MYSQL, name=_LIBRARY + "mongo", command=("mongod",), port=27017, tools=DEBIAN_TOOLS | {"mongod"})
_MEMCACHED = Image(
    _LIBRARY + "memcached", "", 32_000_000, ("docker-entrypoint.sh",), ("memcached",), DEBIAN_TOOLS | {"memcached"},
    "tcp", 11211, 11211,
)  # fmt: skip
_PYTHON = Image(_LIBRARY + "python", "", 360_000_000, (), ("python3",), DEBIAN_TOOLS | {"curl", "python3", "python"})
_PERL = Image(_LIBRARY + "perl", "", 340_000_000, (), ("perl", "-de0"), DEBIAN_TOOLS | {"curl", "perl"})
_CURL = Image("docker.io/curlimages/curl", "", 9_000_000, ("/entrypoint.sh",), ("curl",), BUSYBOX_TOOLS | {"curl"},
              user=100)  # fmt: skip
_AGNHOST = Image(
    _K8S + "e2e-test-images/agnhost", "", 52_000_000, ("/agnhost",), ("pause",), BUSYBOX_TOOLS | {"curl", "agnhost"},
    "agnhost", 8080,
)  # fmt: skip
_HTTP_ECHO = Image("docker.io/hashicorp/http-echo", "", 4_000_000, ("/http-echo",), (), frozenset({"http-echo"}),
                   "http-echo", 5678)  # fmt: skip
_WHOAMI = Image("docker.io/traefik/whoami", "", 2_800_000, ("/whoami",), (), frozenset({"whoami"}), "whoami", 80)
_HELLO_APP = Image("gcr.io/google-samples/hello-app", "", 11_500_000, ("./hello-app",), (),
                   frozenset({"hello-app"}), "hello-app", 8080)  # fmt: skip
_STRESS = Image("docker.io/polinux/stress", "", 4_000_000, (), ("/bin/sh",), BUSYBOX_TOOLS | {"stress"})
_PAUSE = Image(_K8S + "pause", "", 320_000, ("/pause",), (), frozenset({"pause"}), "idle", user=65535)


def _component(name: str, size: int) -> Image:
    """The image of a part of the control plane: one program, no shell."""
    return Image(_K8S + name, "", size, (f"/usr/local/bin/{name}",), (), frozenset({name}), "idle")


_VERSION = "v1.36.2"
_ETCD = replace(_component("etcd", 22_900_000), tools=frozenset({"etcd", "etcdctl"}))
_COREDNS = replace(_component("coredns", 22_400_000), name=_K8S + "coredns/coredns", entrypoint=("/coredns",), port=53)

CATALOGUE: Final[Mapping[str, Image]] = MappingProxyType(
    _family(_NGINX, "1.25 1.26 1.27 1.28 latest alpine stable mainline 1.25-alpine 1.26-alpine 1.27-alpine 1.28-alpine "
            "1.14.2 1.16.0 1.16.1 1.17 1.18 1.19 1.20 1.21 1.22 1.23 1.24 1.29 stable-alpine 1.7.9 1.9.1 1.12",
            preloaded="1.25 1.26 1.27 1.28 latest alpine")
    | _family(_BUSYBOX, "1.36 latest 1.28 1.35 1.37 stable 1.36.1 1.37.0 musl glibc", preloaded="1.36 latest")
    | _family(_ALPINE, "latest 3.18 3.19 3.20 3.21 3.22 3.23")
    | _family(_UBUNTU, "latest 20.04 22.04 24.04") | _family(_DEBIAN, "latest bookworm bookworm-slim trixie 12 13")
    | _family(_HTTPD, "latest 2.4 alpine 2.4-alpine")
    | _family(_REDIS, "latest 6 7 7.2 7.4 8 alpine 7-alpine 5.0.4 6.0.5")
    | _family(_MYSQL, "latest 5.6 5.7 8 8.0 8.4") | _family(_POSTGRES, "latest 14 15 16 17 18 16-alpine")
    | _family(_MONGO, "latest 6 7 8") | _family(_MEMCACHED, "latest 1.6 1.6-alpine")
    | _family(_PYTHON, "latest 3.11 3.12 3.13 3.12-slim 3.13-slim 3-alpine 3.12-alpine")
    | _family(_PERL, "latest 5.34 5.34.0 5.40") | _family(_CURL, "latest 8.10.1 8.11.0")
    | _family(_AGNHOST, "2.39 2.40 2.47 2.52 2.53") | _family(_HTTP_ECHO, "latest 0.2.3 1.0.0 1.0")
    | _family(_WHOAMI, "latest v1.10 v1.11") | _family(_HELLO_APP, "1.0 2.0") | _family(_STRESS, "latest 1.0.4")
    | _family(_PAUSE, "3.1 3.6 3.8 3.9 3.10 3.10.1", preloaded="3.10.1")
    | _family(_component("kube-apiserver", 29_000_000), _VERSION, _VERSION)
    | _family(_component("kube-controller-manager", 22_000_000), _VERSION, _VERSION)
    | _family(_component("kube-scheduler", 17_000_000), _VERSION, _VERSION)
    | _family(_component("kube-proxy", 26_000_000), _VERSION, _VERSION)
    | _family(_ETCD, "3.6.5-0 3.6.6-0 3.6.8-0", "3.6.5-0 3.6.6-0 3.6.8-0")
    | _family(_COREDNS, "v1.12.1 v1.13.1 v1.14.0 v1.14.1 v1.14.2", "v1.12.1 v1.13.1 v1.14.0 v1.14.1 v1.14.2")
)  # fmt: skip

PRELOADED: Final = frozenset(reference for reference, image in CATALOGUE.items() if image.preloaded)


def find(text: str) -> Image | None:
    """The image that a container's ``image`` names, or None when no registry has it."""
    parsed = parse_image(text)
    if parsed is None:
        return None
    if parsed.digest:
        return _by_digest().get((parsed.name, parsed.digest))
    return CATALOGUE.get(f"{parsed.name}:{parsed.tag}")


def full_reference(text: str) -> str:
    """``nginx`` as containerd writes it: ``docker.io/library/nginx:latest``; text that names no image stays."""
    parsed = parse_image(text)
    if parsed is None:
        return text
    return f"{parsed.name}@{parsed.digest}" if parsed.digest else f"{parsed.name}:{parsed.tag}"


def pull_failure(text: str) -> str:
    """What containerd says when a registry does not have the image."""
    reference = full_reference(text)
    resolving = f'failed to pull and unpack image "{reference}": failed to resolve reference "{reference}": '
    parsed = parse_image(text)
    if parsed and any(image.name == parsed.name for image in CATALOGUE.values()):
        return f"rpc error: code = NotFound desc = {resolving}{reference}: not found"
    denied = (
        "pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed"
    )
    return f"{resolving}{denied}"


@lru_cache(maxsize=1)
def _by_digest() -> dict[tuple[str, str], Image]:
    return {(image.name, image.digest): image for image in CATALOGUE.values()}


@lru_cache(maxsize=1024)
def _sha256(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
