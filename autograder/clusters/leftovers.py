"""How namespaces of our own are known, and how those of a run that was cut off are found and deleted.

A namespace says in annotations which process made it, and when.  It is left over if that process is known to be gone,
or if it is older than what it was made for lasts: a judgement an hour, a student's room a long day.  Only namespaces
with our name and our label are ever looked at.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
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
LASTS: Final = "autograder/lasts"

#: Seconds after which a namespace is left over, whoever made it.
LONGEST: Final = 3600


def marked(namespace: Object, room: str, lasts: int = LONGEST) -> Object:
    """A Namespace with what says that it is ours, and used for ``lasts`` seconds at most."""
    meta = namespace["metadata"]
    labels = {**(meta.get("labels") or {}), MANAGED_BY: MANAGER, ROOM: room}
    own = {
        MACHINE: _machine(), PROCESS: _identity(os.getpid()), STARTED: str(int(time.time())), LASTS: str(lasts),
    }  # fmt: skip
    return {
        **namespace,
        "metadata": {**meta, "labels": labels, "annotations": {**(meta.get("annotations") or {}), **own}},
    }


def unmarked(namespace: Object) -> Object:
    """A Namespace as if it were not ours."""
    meta = dict(namespace["metadata"])
    for part, ours in (("labels", {MANAGED_BY, ROOM}), ("annotations", {MACHINE, PROCESS, STARTED, LASTS})):
        kept = {key: value for key, value in meta.get(part, {}).items() if key not in ours}
        meta = {**meta, part: kept} if kept else {key: value for key, value in meta.items() if key != part}
    return {**namespace, "metadata": meta}


def delete(connection: Connection) -> list[str]:
    """Delete what earlier runs have left behind; returns the names."""
    listed = json.loads(connection.send("GET", NAMESPACES, query={"labelSelector": f"{MANAGED_BY}={MANAGER}"}))
    names = [obj["metadata"]["name"] for obj in listed["items"] if is_left_over(obj)]
    delete_namespaces(connection, names)
    return names


def delete_namespaces(connection: Connection, names: Iterable[str]) -> None:
    """Delete namespaces, and do not wait until they are gone."""
    for name in names:
        with contextlib.suppress(NotFound, Conflict):  # gone, or on its way
            connection.send("DELETE", NAMESPACES, name=name)


def of_run(connection: Connection, room: str) -> list[str]:
    """The names of all namespaces of one run, also of those whose creation was never confirmed to us."""
    selector = f"{MANAGED_BY}={MANAGER},{ROOM}={room}"
    listed = json.loads(connection.send("GET", NAMESPACES, query={"labelSelector": selector}))
    return [obj["metadata"]["name"] for obj in listed["items"] if obj["metadata"]["name"].startswith(PREFIX)]


def is_left_over(namespace: Object) -> bool:
    """Whether a namespace is ours and nobody uses it any more."""
    meta = namespace["metadata"]
    notes = meta.get("annotations") or {}
    started = notes.get(STARTED, "")
    if not meta["name"].startswith(PREFIX) or "deletionTimestamp" in meta or not started.isdecimal():
        return False
    lasts = notes.get(LASTS, "")
    if time.time() - int(started) > (int(lasts) if lasts.isdecimal() else LONGEST):
        return True
    number, _, begun = notes.get(PROCESS, "").partition("@")
    if notes.get(MACHINE) != _machine() or not number.isdecimal():
        return False
    return not _is_running(int(number)) or (begun not in ("", _begun(int(number))))


def _machine() -> str:
    """What tells the processes of this machine apart from others, containers of one machine among them."""
    space = Path("/proc/self/ns/pid")
    inside = f"/{space.readlink()}" if space.is_symlink() else ""
    return f"{socket.gethostname()}/{uuid.getnode():012x}{inside}"


def _identity(process: int) -> str:
    """A process by its number and, since numbers are used again, by when it began."""
    begun = _begun(process)
    return f"{process}@{begun}" if begun else str(process)


def _begun(process: int) -> str:
    """When a process began, in clock ticks since this machine was started; empty where nobody says so."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]  # the second field, the program's name, may hold anything


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
