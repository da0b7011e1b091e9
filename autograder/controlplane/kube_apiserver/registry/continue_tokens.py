"""The ``continue`` tokens of lists, which say where the next page begins (apiserver/pkg/storage, ``continue.go``)."""

from __future__ import annotations

import base64
import json
import posixpath
import re
from typing import Any, Final

from autograder.controlplane.apimachinery.errors import BadRequest
from autograder.controlplane.kube_apiserver.parsing import parse
from autograder.controlplane.kube_apiserver.reading.mismatches import Mismatch, word_for
from autograder.controlplane.kube_apiserver.reading.scalars import basic_reader
from autograder.controlplane.kube_apiserver.unreadable import Broken

_VERSION: Final = "meta.k8s.io/v1"
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9_-]")
#: What a token says: the version of its form, the revision of the list, and the first key of the page.
_FIELDS: Final = {"v": "string", "rv": "int64", "start": "string"}


def encode(revision: int, start: str) -> str:
    """The token for what begins at a key; -1 is whatever revision is the newest then."""
    content = json.dumps({"v": _VERSION, "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def decode(token: str) -> tuple[int, str]:
    """The revision and the first key that a token says; ``BadRequest`` for one that no server has made."""
    try:
        content = _read(_decoded(token))
    except Broken as error:
        raise _refusal(f": {error.why}") from None
    except ValueError as error:
        raise _refusal(f": {error}") from None
    version, revision, start = content.get("v", ""), content.get("rv", 0), content.get("start", "")
    if version != _VERSION:
        raise _refusal(f": server does not recognize this encoded version {version}")
    if revision == 0:
        raise _refusal(f": incorrect encoded start resourceVersion (version {_VERSION})")
    if not start:
        raise _refusal(f": encoded start key empty (version {_VERSION})")
    if posixpath.normpath("/" + start.lstrip("/")) != "/" + start.removeprefix("/"):
        raise _refusal(f": {start}")
    return revision, start.removeprefix("/")


def _decoded(token: str) -> bytes:
    """What a token encodes; ``ValueError`` as Go says it."""
    text = token.replace("\r", "").replace("\n", "")
    wrong = _NOT_BASE64.search(text)
    if wrong or len(text) % 4 == 1:
        raise ValueError(f"illegal base64 data at input byte {wrong.start() if wrong else len(text) - 1}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _read(content: bytes) -> dict[str, Any]:
    """The fields of a token; ``ValueError`` as Go says it."""
    value = parse(content)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Mismatch(word_for(value), "storage.continueToken")
    for name, go_type in _FIELDS.items():
        reader = basic_reader(go_type, go_type)
        assert reader is not None
        try:
            reader(value.get(name, 0 if go_type == "int64" else ""), [])
        except Mismatch as error:
            error.within("continueToken", name)
            raise
    return value


def _refusal(why: str) -> BadRequest:
    return BadRequest("invalid continue token: continue key is not valid" + why)
