"""How namespaces of our own are known, and how those of a run that was cut off are found and deleted.

A namespace says in annotations which process made it, and when.  It is left over if that process is known to be gone,
or if it is older than any judgement lasts.  Only namespaces with our name and our label are ever looked at.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
import uuid
from typing import Final

from autograder.clusters.connection import Connection
from autograder.clusters.interface import Object
from autograder.controlplane.apimachinery.errors import Conflict, NotFound
from autograder.controlplane.apimachinery.scheme import NAMESPACES

PREFIX: Final = "autograder-"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "autograder"
ROOM: Final = "autograder/run"
MACHINE: Final = "autograder/machine"
PROCESS: Final = "autograder/process"
STARTED: Final = "autograder/started"

#: Seconds after which a namespace is left over, whoever made it.
LONGEST: Final = 3600


def marked(namespace: Object, room: str) -> Object:
    """A Namespace with what says that it is ours."""
    meta = namespace["metadata"]
    labels = {**(meta.get("labels") or {}), MANAGED_BY: MANAGER, ROOM: room}
    own = {MACHINE: _machine(), PROCESS: str(os.getpid()), STARTED: str(int(time.time()))}
    return {
        **namespace,
        "metadata": {**meta, "labels": labels, "annotations": {**(meta.get("annotations") or {}), **own}},
    }


def unmarked(namespace: Object) -> Object:
    """A Namespace as if it were not ours."""
    meta = dict(namespace["metadata"])
    for part, ours in (("labels", {MANAGED_BY, ROOM}), ("annotations", {MACHINE, PROCESS, STARTED})):
        kept = {key: value for key, value in meta.get(part, {}).items() if key not in ours}
        meta = {**meta, part: kept} if kept else {key: value for key, value in meta.items() if key != part}
    return {**namespace, "metadata": meta}


def delete(connection: Connection) -> list[str]:
    """Delete what earlier runs have left behind; returns the names."""
    listed = json.loads(connection.send("GET", NAMESPACES, query={"labelSelector": f"{MANAGED_BY}={MANAGER}"}))
    names = [obj["metadata"]["name"] for obj in listed["items"] if is_left_over(obj)]
    for name in names:
        with contextlib.suppress(NotFound, Conflict):  # gone, or on its way
            connection.send("DELETE", NAMESPACES, name=name)
    return names


def is_left_over(namespace: Object) -> bool:
    """Whether a namespace is ours and nobody uses it any more."""
    meta = namespace["metadata"]
    notes = meta.get("annotations") or {}
    started = notes.get(STARTED, "")
    if not meta["name"].startswith(PREFIX) or "deletionTimestamp" in meta or not started.isdecimal():
        return False
    if time.time() - int(started) > LONGEST:
        return True
    process = notes.get(PROCESS, "")
    return notes.get(MACHINE) == _machine() and process.isdecimal() and not _is_running(int(process))


def _machine() -> str:
    """What tells this machine apart from others, containers of one machine among them."""
    return f"{socket.gethostname()}/{uuid.getnode():012x}"


def _is_running(process: int) -> bool:
    """Whether a process of this number runs; where that cannot be asked without harm, it is taken to."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
