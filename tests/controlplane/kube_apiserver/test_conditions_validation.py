"""Conditions in the form that all kinds share: what is wrong with them."""

from __future__ import annotations

import pytest
from asking import Object, World

BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
GOOD: Object = {"type": "A", "status": "True", "reason": "a:b,c_", "lastTransitionTime": "2024-01-01T00:00:00Z"}


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.create(BUDGETS, {"metadata": {"name": "few"}, "spec": {"minAvailable": 1, "selector": {}}})
    return world


@pytest.mark.parametrize(
    ("conditions", "fields"),
    [
        ([GOOD], []),
        ([GOOD, {**GOOD, "type": "example.com/B"}], []),
        ([GOOD, GOOD], ["[1].type"]),
        ([{**GOOD, "status": "yes"}], ["[0].status"]),
        ([{**GOOD, "type": "a b", "reason": "1a"}], ["[0].type", "[0].reason"]),
        ([{**GOOD, "reason": "", "lastTransitionTime": None}], ["[0].lastTransitionTime", "[0].reason"]),
        ([{**GOOD, "observedGeneration": -1}], ["[0].observedGeneration"]),
        ([{**GOOD, "reason": "x" * 1025, "message": "m" * 32769}], ["[0].reason", "[0].message"]),
    ],
)
def test_conditions_of_a_budget(world: World, conditions: list[Object], fields: list[str]) -> None:
    merge = "application/merge-patch+json"
    body: Object = {"status": {"conditions": conditions}}
    answer = world.ask("PATCH", f"{BUDGETS}/few/status?dryRun=All", body=body, content_type=merge)
    causes = [] if answer.code == 200 else answer.body["details"]["causes"]
    assert [cause["field"] for cause in causes] == [f"status.conditions{field}" for field in fields]
