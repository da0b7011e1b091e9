"""Ages that a client computes from its own clock, made to equal the virtual ones.

``kubectl describe`` and ``kubectl events`` show how long ago events were by subtracting from the wall clock, and
``kubectl describe`` also how old the Pods of a node are and for how long something has been going.  For these commands
the times of events, those at which the Pods of a list were created, and those of deletions are moved, so that whoever
subtracts now gets the age that the cluster's clock gives.

``kubectl rollout restart`` writes the time of its own clock into the template, by whose hash ReplicaSets and Pods are
named.  The cluster's time takes its place, so that the names are the same on any day.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object, Request
from autograder.controlplane.clock import SECOND

_COMMANDS: Final = ("kubectl describe", "kubectl events")
_KINDS: Final = ("Event", "EventList", "PodList")
#: What is described as "Terminating (lasts 5s)".
_GOING: Final = ("Pod", "PersistentVolumeClaim", "PersistentVolume")
_TIMES: Final = ("firstTimestamp", "lastTimestamp", "deprecatedFirstTimestamp", "deprecatedLastTimestamp")
_RESTART: Final = "kubectl rollout restart"
_RESTARTED_AT: Final = re.compile(rb'("kubectl\.kubernetes\.io/restartedAt":\s*")[^"]*(")')
#: kubectl wants so many seconds between two restarts: the time that it writes down is in whole ones.
RESTART_SECONDS: Final = 1
#: After this part of a second a client may read its clock in the next one.
_LATE: Final = 0.5


def applies(request: Request, body: Any) -> bool:
    """Whether an answer has times from which the command that asked computes ages."""
    asked = request.headers.get("kubectl-command", "").startswith(_COMMANDS)
    return asked and isinstance(body, Mapping) and (body.get("kind") in _KINDS or _is_going(body))


def restarts(request: Request) -> bool:
    """Whether this is what ``kubectl rollout restart`` writes."""
    command = request.headers.get("kubectl-command", "")
    return request.method == "PATCH" and command == _RESTART and isinstance(request.body, bytes)


def restarted(body: bytes, *, now: int) -> bytes:
    """The patch of a restart with ``now`` (virtual µs) as its time."""
    time = timestamps.time(now)
    return _RESTARTED_AT.sub(rb"\g<1>" + time.encode() + rb"\g<2>", body)


def pause(wall: float) -> float:
    """How long to wait before answering, so that no second passes between our reading of the clock and the client's."""
    fraction = wall % 1
    return 1 - fraction if fraction > _LATE else 0.0


def moved(body: Object, *, now: int, wall: float) -> Object:
    """The answer with times such that the ages at ``wall`` (s) are those at ``now`` (virtual µs)."""
    if _is_going(body):
        return _with_time(body, "deletionTimestamp", now, wall)
    if body["kind"] == "PodList":
        return {**body, "items": [_with_time(pod, "creationTimestamp", now, wall) for pod in body["items"]]}
    if "items" in body:
        return {**body, "items": [_event(event, now, wall) for event in body["items"]]}
    return _event(body, now, wall)


def _is_going(body: Mapping[str, Any]) -> bool:
    return body.get("kind") in _GOING and "deletionTimestamp" in body["metadata"]


def _with_time(obj: Object, name: str, now: int, wall: float) -> Object:
    """An object with one time of its metadata moved; others of it are shown as they are, and stay."""
    meta = obj["metadata"]
    return {**obj, "metadata": {**meta, name: _time(meta[name], now, wall)}}


def _event(event: Object, now: int, wall: float) -> Object:
    changed: Object = {name: _time(event[name], now, wall) for name in _TIMES if event.get(name)}
    if event.get("eventTime"):
        changed["eventTime"] = _time(event["eventTime"], now, wall, precise=True)
    series = event.get("series")
    if series and series.get("lastObservedTime"):
        changed["series"] = {**series, "lastObservedTime": _time(series["lastObservedTime"], now, wall, precise=True)}
    return {**event, **changed}


def _time(virtual: str, now: int, wall: float, *, precise: bool = False) -> str:
    age = (now - timestamps.parse(virtual)) // SECOND
    text = datetime.fromtimestamp(math.floor(wall) - age, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.000000Z" if precise else f"{text}Z"
