"""Names of container images: ``[registry/]repository[:tag][@digest]``.

The grammar is that of ``distribution/reference``, which Kubernetes uses to tell the tag of an image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"(?:{_PART}(?:\.{_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE: Final = re.compile(
    rf"(?P<name>{_REGISTRY}/{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_IDENTIFIER: Final = re.compile("[a-f0-9]{64}")
_NAME_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Image:
    """A parsed image name: ``docker.io/library/nginx``, ``1.27`` and no digest for ``nginx:1.27``."""

    name: str
    tag: str
    digest: str


@lru_cache(maxsize=1024)
def parse_image(text: str) -> Image | None:
    """The parts of an image name, with ``latest`` where there is neither tag nor digest; None if it is none."""
    if _IDENTIFIER.fullmatch(text):
        return None
    registry, slash, rest = text.partition("/")
    if not slash or (not set(".:") & set(registry) and registry != "localhost" and registry == registry.lower()):
        registry, rest = "docker.io", text
    elif registry == "index.docker.io":
        registry = "docker.io"
    if registry == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    match = _REFERENCE.fullmatch(f"{registry}/{rest}")
    if match is None or len(match["name"]) > _NAME_LENGTH:
        return None
    tag, digest = match["tag"] or "", match["digest"] or ""
    return Image(match["name"], tag or ("" if digest else "latest"), digest)
