"""Aggregated ClusterRoles: roles whose rules are those of other roles, chosen by their labels.

The API server begins with some, and a controller keeps them up to date (pkg/controller/clusterroleaggregation).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograder.controlplane.apimachinery import selectors

Role = dict[str, Any]


def aggregated_rules(role: Role, roles: Iterable[Role]) -> list[dict[str, Any]]:
    """The rules that an aggregated role should have: for each selector those of the roles it chooses, each once."""
    by_name = sorted(roles, key=lambda one: one["metadata"]["name"])
    rules: list[dict[str, Any]] = []
    for wanted in role["aggregationRule"].get("clusterRoleSelectors") or ():
        selector = selectors.of_object(wanted)
        for one in by_name:
            chosen = one["metadata"]["name"] != role["metadata"]["name"]
            if chosen and selector.matches(one["metadata"].get("labels")):
                rules += [rule for rule in one.get("rules") or () if rule not in rules]
    return rules
