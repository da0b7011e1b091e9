"""The roles and bindings that every cluster begins with, as the API server's start-up hook creates them.

They stand in ``bootstrap_rbac.json``, which ``tools/generate_rbac.py`` writes.  There are more than a hundred, and all
are known to be right: they go into the store as they are, and what does not differ from cluster to cluster is shared.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.aggregation import aggregated_rules
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.decoding import normal_form

_FILE: Final = Path(__file__).with_suffix(".json")


def create_default_roles(backend: Backend) -> None:
    """Put the default roles and bindings into an empty store; each gets a uid and the time."""
    now = backend.now()
    for key, obj in _objects():
        metadata = {**obj["metadata"], "uid": backend.uid(), "creationTimestamp": now}
        backend.store.put(key, {**obj, "metadata": metadata}, expected=0)


@cache
def _objects() -> tuple[tuple[str, Object], ...]:
    """Keys and objects, all but what tells clusters apart; roles that are made of others have their rules."""
    objects: list[Object] = json.loads(_FILE.read_text(encoding="utf-8"))
    roles = {one["metadata"]["name"]: one for one in objects if one["kind"] == "ClusterRole"}
    unsettled = True
    while unsettled:  # some are made of roles that are made of others
        unsettled = False
        for role in roles.values():
            if "aggregationRule" in role:
                rules = aggregated_rules(role, roles.values())
                unsettled |= rules != role["rules"]
                role["rules"] = rules
    found = []
    for one in objects:
        kind = scheme.resource_of(one)
        metadata = one["metadata"]
        found.append(
            (kind.storage_key(metadata.get("namespace", ""), metadata["name"]), normal_form(one, kind.go_type))
        )
    return tuple(found)
