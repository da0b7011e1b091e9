"""In which form an answer goes out: the object itself, its metadata only, or a table for people.

The ``Accept`` header decides, as in apiserver/pkg/endpoints/handlers/negotiation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from autograder.controlplane.apimachinery.errors import NotAcceptable
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, Request, WatchEvent, WatchStream
from autograder.controlplane.kube_apiserver.tables import table

#: What objects can be sent as.  A real server has protobuf too, which no client asks for alone.
OBJECTS: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STREAMS: Final = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
YAML: Final = "application/yaml"
_PRODUCED: Final = ("application/json", YAML)
_TABLE_VERSIONS: Final = ("v1", "v1beta1")
_CONVERTED: Final = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
#: Parameters of a media type that name a conversion.
_CONVERSION: Final = ("as", "g", "v")


@dataclass(frozen=True, slots=True)
class Form:
    """The form asked for: ``target`` is empty, Table, PartialObjectMetadata or PartialObjectMetadataList."""

    target: str = ""
    version: str = "v1"
    media_type: str = "application/json"


PLAIN: Final = Form()


@lru_cache(maxsize=256)
def negotiate(accept: str, *, convertible: bool = True) -> Form:
    """The form of an ``Accept`` header that can be produced and comes first; ``NotAcceptable`` when there is none.

    Documents that are no objects are not ``convertible``.
    """
    if not accept:
        return PLAIN
    for kind, subtype, parameters in _clauses(accept):
        for produced in _PRODUCED:
            if f"{kind}/{subtype}" in (produced, "application/*", "*/*"):
                form = _form(produced, parameters, convertible)
                if form is not None:
                    return form
    raise NotAcceptable(f"only the following media types are accepted: {', '.join(OBJECTS)}")


def negotiate_stream(accept: str) -> Form:
    """The form of the objects of a watch, which goes out as JSON; ``NotAcceptable`` when that is not what is wanted."""
    form = negotiate(accept)
    if form.media_type == YAML:
        raise NotAcceptable(f"only the following media types are accepted: {', '.join(STREAMS)}")
    return form


def check_route(accept: str, produced: tuple[str, ...]) -> None:
    """Raise ``NotAcceptable`` unless a media type of the header is one that a path answers in, whatever it says else.

    This is what the router of a real server asks, before anything is looked into.
    """
    wanted = {offer.partition(";")[0].strip() for offer in accept.split(",")} if accept else {"*/*"}
    if "*/*" not in wanted and wanted.isdisjoint(produced):
        raise NotAcceptable(f"406: Not Acceptable\n\nAvailable representations: {', '.join(produced)}", details={})


def _clauses(accept: str) -> list[tuple[str, str, dict[str, str]]]:
    """The media types of a header in the order of preference, each with its parameters."""
    found = []
    for offer in accept.split(","):
        media_type, *parameters = (part.strip() for part in offer.split(";"))
        given = {name.strip(): value.strip() for name, _, value in (one.partition("=") for one in parameters) if value}
        kind, _, subtype = media_type.partition("/")
        found.append((_quality(given.pop("q", "")), kind == "*", subtype == "*", kind, subtype, given))
    return [clause[3:] for clause in sorted(found, key=lambda clause: clause[:3])]


def _quality(text: str) -> float:
    """How much a media type is wanted; the less the number, the more."""
    try:
        return -float(text)
    except ValueError:
        return -1.0


def _form(media_type: str, parameters: Mapping[str, str], convertible: bool) -> Form | None:
    """The form that parameters ask for; None for one that there is not."""
    if parameters.get("sv", "v1") != "v1" or parameters.get("stream", "watch") != "watch":
        return None
    if media_type == YAML and "stream" in parameters:
        return None
    if not any(name in parameters for name in _CONVERSION):
        return Form(media_type=media_type)
    target, version = parameters.get("as", ""), parameters.get("v", "")
    known = parameters.get("g") == "meta.k8s.io" and version in _TABLE_VERSIONS and target in _CONVERTED
    return Form(target, version, media_type) if known and convertible else None


def shown(form: Form, kind: ResourceType, obj: Object, request: Request, now: int, subresource: str = "") -> Object:
    """One object in the form asked for."""
    if form.target == "Table":
        metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
        return _table(form, kind, [obj], request, now, metadata, subresource=subresource)
    if form.target == "PartialObjectMetadataList":
        raise _unfit(form, f"not a list (*{_internal_type(kind)})")
    if form.target:
        return _partial(form, obj)
    return obj


def shown_list(form: Form, kind: ResourceType, listed: Object, request: Request, now: int) -> Object:
    """A list in the form asked for; items of a plain list do not repeat their kind."""
    if form.target == "Table":
        return _table(form, kind, listed["items"], request, now, listed["metadata"])
    if form.target == "PartialObjectMetadata":
        raise _unfit(form, f"a list (*{_internal_type(kind)}List)")
    if form.target:
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": listed["metadata"],
            "items": [_partial(form, item) for item in listed["items"]] or None,
        }
    items = [{key: value for key, value in item.items() if key not in _KIND} for item in listed["items"]]
    return {**listed, "items": items}


def _unfit(form: Form, what: str) -> NotAcceptable:
    return NotAcceptable(f"you requested {form.target}, but the requested object is {what}")


def _internal_type(kind: ResourceType) -> str:
    """What a real server calls the kind within itself, whatever its version."""
    group = "core" if kind.group == "events.k8s.io" else kind.group.partition(".")[0] or "core"
    return f"{group}.{kind.kind}"


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
