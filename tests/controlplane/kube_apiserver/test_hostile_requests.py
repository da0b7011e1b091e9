"""What no honest client sends is refused in the words of a real server, and never ends in anything else."""

from __future__ import annotations

from typing import Any

import pytest
from asking import DEFAULT, Object, World

CONFIG_MAPS = f"{DEFAULT}/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
CRON_JOBS = "/apis/batch/v1/namespaces/default/cronjobs"
PODS = f"{DEFAULT}/pods"
#: More digits than Python converts.
DIGITS = 5000 * "9"

POD_SPEC: Object = {"containers": [{"name": "c", "image": "nginx"}]}
TEMPLATE: Object = {"metadata": {"labels": {"app": "web"}}, "spec": POD_SPEC}


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.create(CONFIG_MAPS, {"metadata": {"name": "there", "finalizers": ["example.com/kept"]}})
    world.create(DEPLOYMENTS, deployment("web"))
    return world


def deployment(name: str, **spec: Any) -> Object:
    own = {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}
    return {"metadata": {"name": name}, "spec": {**own, **spec}}


def refused(world: World, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    response = world.ask(method, path, body=body, **headers)
    return response.code, response.body["message"]


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("revision", ["²", "٣", "-5", DIGITS], ids=["square", "arabic", "negative", "digits"])
def test_a_revision_that_is_no_number_does_not_hinder_a_create(world: World, revision: str) -> None:
    body = {"metadata": {"generateName": "c-", "resourceVersion": revision}}
    world.create(f"{CONFIG_MAPS}?dryRun=All", body)
    assert world.ask("POST", CONFIG_MAPS, body=body).code == 201


@pytest.mark.parametrize(
    ("revision", "why"), [("٣", "invalid syntax"), ("-5", "invalid syntax"), (DIGITS, "value out of range")],
    ids=["arabic", "negative", "digits"],
)  # fmt: skip
def test_an_update_must_name_a_revision_that_is_a_number(world: World, revision: str, why: str) -> None:
    body = {"metadata": {"name": "there", "resourceVersion": revision}}
    expected = (500, f'strconv.ParseUint: parsing "{revision}": {why}')
    assert refused(world, "PUT", f"{CONFIG_MAPS}/there", body) == expected


def test_zeros_before_a_revision_change_nothing(world: World) -> None:
    there = world.ask("GET", f"{CONFIG_MAPS}/there").body
    body = {**there, "metadata": {**there["metadata"], "resourceVersion": f"00{there['metadata']['resourceVersion']}"}}
    assert world.ask("PUT", f"{CONFIG_MAPS}/there", body=body).code == 200


@pytest.mark.parametrize("number", [f"{DIGITS}%", DIGITS])
def test_a_share_of_any_length_is_too_large(world: World, number: str) -> None:
    body = deployment("other", strategy={"rollingUpdate": {"maxUnavailable": number}})
    code, said = refused(world, "POST", DEPLOYMENTS, body)
    assert (code, number in said) == (422, True)
    assert ("must not be greater than 100%" in said) is number.endswith("%")


@pytest.mark.parametrize("cost", [DIGITS, f"-{DIGITS}", "+1", "01", "", "ten"])
def test_a_deletion_cost_has_32_bits(world: World, cost: str) -> None:
    annotations = {"controller.kubernetes.io/pod-deletion-cost": cost}
    code, said = refused(world, "POST", PODS, {"metadata": {"name": "p", "annotations": annotations}, "spec": POD_SPEC})
    assert (code, said.endswith("must be a 32bit integer")) == (422, True)


@pytest.mark.parametrize("bound", ["99999999999999999999", "five", ""])
def test_labels_are_compared_with_integers_of_64_bits(world: World, bound: str) -> None:
    code, said = refused(world, "GET", f"{CONFIG_MAPS}?labelSelector=a>{bound}")
    assert (code, said) == (400, (
        f"unable to parse requirement: values[0]: Invalid value: \"{bound}\": for 'Gt', 'Lt' operators, the value must "
        "be an integer"
    ))  # fmt: skip
