"""The rules for Events, which depend on the API that they are written through (pkg/apis/core/validation/events.go).

Events of the core API are checked loosely. Those written as ``events.k8s.io/v1`` must be complete, and only their
series may change. Objects here have the core API's fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, invalid, required
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    label_name,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed

MAX_LENGTHS = {"reportingInstance": 128, "action": 128, "reason": 128, "message": 1024}
FIXED_FIELDS = (
    "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type", "eventTime",
    "action", "related", "reportingComponent", "reportingInstance",
)  # fmt: skip


def validate_event(event: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Event of the core API."""
    return list(_validate_loosely(event, "reportingComponent"))


def validate_event_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a changed Event of the core API; any field may change."""
    return validate_event(new)


def validate_event_strictly(event: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with an Event that is created through ``events.k8s.io/v1``."""
    errors = [*_validate_loosely(event, "reportingController"), *validate_metadata(event["metadata"], namespaced=True)]
    errors += _validate_series(event)
    if not event.get("eventTime"):
        errors.append(required(Path("eventTime")))
    if event.get("type") not in ("Normal", "Warning"):
        errors.append(invalid(Path("type"), "", f"has invalid value: {event.get('type', '')}"))
    deprecated = ("firstTimestamp", "lastTimestamp", "count", "source")
    errors += [invalid(Path(name), "", "needs to be unset") for name in deprecated if event.get(name)]
    return errors


def validate_event_update_strictly(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with an Event that is changed through ``events.k8s.io/v1``; only the series may change."""
    errors = [*_validate_loosely(new, "reportingController")]
    errors += validate_metadata_update(new["metadata"], old["metadata"])
    if new.get("series") != old.get("series"):
        errors += _validate_series(new)
    for name in FIXED_FIELDS:
        path = Path("reportingController" if name == "reportingComponent" else name)
        errors += immutable(new.get(name), old.get(name), path)
    return errors


def _validate_series(event: dict[str, Any]) -> Iterator[FieldError]:
    if "series" in event:
        if event["series"].get("count", 0) < 2:
            yield invalid(Path("series.count"), "", "should be at least 2")
        if not event["series"].get("lastObservedTime"):
            yield required(Path("series.lastObservedTime"))


def _validate_loosely(event: dict[str, Any], reporter: str) -> Iterator[FieldError]:
    namespace = event["metadata"].get("namespace", "")
    about = event.get("involvedObject", {}).get("namespace", "")
    homes_of_cluster_events = ("", "default") if not event.get("eventTime") else ("default", "kube-system")
    elsewhere = about != namespace and not event.get("eventTime") if about else namespace not in homes_of_cluster_events
    if elsewhere:
        path = Path("involvedObject").child("namespace")
        yield invalid(path, about, "does not match event.namespace")
    if event.get("eventTime"):
        yield from _validate_reporter(event.get("reportingComponent", ""), Path(reporter))
        for name in ("reportingInstance", "action", "reason"):
            if not event.get(name):
                yield required(Path(name))
            yield from _validate_length(event, name)
        yield from _validate_length(event, "message")
    yield from malformed(Path("namespace"), namespace, names.dns_subdomain(namespace))


def _validate_reporter(name: str, path: Path) -> Iterator[FieldError]:
    if not name:
        yield required(path)
    yield from label_name(name, path)


def _validate_length(event: dict[str, Any], name: str) -> Iterator[FieldError]:
    if len(event.get(name, "").encode()) > MAX_LENGTHS[name]:
        yield invalid(Path(name), "", f"can have at most {MAX_LENGTHS[name]} characters")
