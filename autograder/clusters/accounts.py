"""The ServiceAccount ``default``, without which nobody may create Pods in a namespace."""

from __future__ import annotations

import time

from autograder.clusters.connection import Connection
from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import SERVICEACCOUNTS


def wait_for_account(connection: Connection, namespace: str, seconds: float, pause: float) -> bool:
    """Wait until a new namespace has its account, looking every ``pause`` seconds; whether it came to that."""
    end = time.monotonic() + seconds
    while not _has_account(connection, namespace):
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def _has_account(connection: Connection, namespace: str) -> bool:
    try:
        connection.send("GET", SERVICEACCOUNTS, namespace, "default")
    except NotFound:
        return False
    return True
