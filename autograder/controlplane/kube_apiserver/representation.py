"""In which form an answer goes out: the object itself, its metadata only, or a table for people.

The ``Accept`` header decides, as in apiserver/pkg/endpoints/handlers/negotiation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from autograder.controlplane.apimachinery.errors import NotAcceptable
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, Request, WatchEvent, WatchStream
from autograder.controlplane.kube_apiserver.tables import table

_SERVED: Final = (
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
)  # fmt: skip
_TABLE_VERSIONS: Final = ("v1", "v1beta1")


@dataclass(frozen=True, slots=True)
class Form:
    """The form asked for: ``target`` is empty, Table, PartialObjectMetadata or PartialObjectMetadataList."""

    target: str = ""
    version: str = "v1"
    streamed: bool = False


PLAIN: Final = Form()


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Form:
    """The first form of an ``Accept`` header that can be produced; ``NotAcceptable`` when there is none."""
    if not accept:
        return PLAIN
    for offer in accept.split(","):
        media_type, *parameters = (part.strip() for part in offer.split(";"))
        if media_type not in ("application/json", "application/*", "*/*"):
            continue
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        target = given.get("as", "")
        if not target:
            return PLAIN
        if given.get("g") != "meta.k8s.io":
            continue
        if target in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            if given.get("v") in _TABLE_VERSIONS:
                return Form(target, given["v"])
    listed = ", ".join(_SERVED)
    raise NotAcceptable(f"only the following media types are accepted: {listed}", details={})


def shown(form: Form, kind: ResourceType, obj: Object, request: Request, now: int, subresource: str = "") -> Object:
    """One object in the form asked for."""
    if form.target == "Table":
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return _table(form, kind, [obj], request, now, metadata, subresource=subresource)
    if form.target:
        return _partial(form, obj)
    return obj


def shown_list(form: Form, kind: ResourceType, listed: Object, request: Request, now: int) -> Object:
    """A list in the form asked for; items of a plain list do not repeat their kind."""
    if form.target == "Table":
        return _table(form, kind, listed["items"], request, now, listed["metadata"])
    if form.target:
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": listed["metadata"],
            "items": [_partial(form, item) for item in listed["items"]],
        }
    items = [{key: value for key, value in item.items() if key not in _KIND} for item in listed["items"]]
    return {**listed, "items": items}


class ShownStream:
    """A watch whose objects go out in the form asked for; only its first table has columns."""

    def __init__(
        self, stream: WatchStream, form: Form, kind: ResourceType, request: Request, now: Callable[[], int]
    ) -> None:
        self._stream = stream
        self._form, self._kind, self._request, self._now = form, kind, request, now
        self._headed = False

    @property
    def revision(self) -> int:
        return self._stream.revision

    @property
    def ended(self) -> bool:
        return self._stream.ended

    def waiting(self) -> bool:
        return self._stream.waiting()

    def poll(self) -> list[WatchEvent]:
        return [WatchEvent(event.type, self._shown(event)) for event in self._stream.poll()]

    def _shown(self, event: WatchEvent) -> Object:
        if event.type == "ERROR":
            return event.object
        if self._form.target != "Table":
            return _partial(self._form, event.object)
        metadata = {"resourceVersion": event.object["metadata"].get("resourceVersion", "")}
        rows = [] if event.type == "BOOKMARK" else [event.object]
        headed, self._headed = self._headed, True
        shown = _table(self._form, self._kind, rows, self._request, self._now(), metadata, no_headers=headed)
        if event.type == "BOOKMARK":
            shown["metadata"] = event.object["metadata"]
        return shown


_KIND: Final = ("kind", "apiVersion")


def _table(
    form: Form, kind: ResourceType, objects: list[Object], request: Request, now: int, metadata: Object, *,
    no_headers: bool = False, subresource: str = "",
) -> Object:  # fmt: skip
    return table(
        kind, objects, now=now, include_object=request.param("includeObject"), no_headers=no_headers,
        metadata=metadata, version=form.version, subresource=subresource,
    )  # fmt: skip


def _partial(form: Form, obj: Object) -> Object:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{form.version}",
        "metadata": obj["metadata"],
    }
