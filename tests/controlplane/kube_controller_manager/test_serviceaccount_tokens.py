"""A Secret of the type for tokens gets one of the account that it names, and goes with the account."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from controller_world import Object, World

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import SECRETS, SERVICEACCOUNTS
from autograder.controlplane.apimachinery.wire import Request
from autograder.controlplane.kube_controller_manager.rootcacertpublisher import CERTIFICATE


def account(world: World, name: str = "bot") -> str:
    created = world.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
    return str(created["metadata"]["uid"])


def secret(world: World, account: str = "bot") -> None:
    notes = {"kubernetes.io/service-account.name": account}
    world.create({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "annotations": notes},
        "type": "kubernetes.io/service-account-token",
    })  # fmt: skip
    world.settle()


def data(world: World) -> dict[str, str]:
    found: Object = world.get(SECRETS, "token")
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def who(world: World, token: str) -> Any:
    headers = {"authorization": f"Bearer {token}"}
    return world.cluster.api.handle(Request("GET", "/api/v1/namespaces/default/pods", {}, headers)).body["message"]


def test_it_gets_a_token_with_the_namespace_and_the_certificate(world: World) -> None:
    uid = account(world)
    secret(world)
    assert world.get(SECRETS, "token")["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == uid
    found = data(world)
    assert sorted(found) == ["ca.crt", "namespace", "token"]
    assert (found["namespace"], found["ca.crt"]) == ("default", CERTIFICATE)


def test_the_token_is_of_the_account_and_stays_so_for_years(world: World) -> None:
    account(world)
    secret(world)
    token = data(world)["token"]
    world.cluster.clock.now += 50 * 365 * 24 * 3600 * 10**6
    assert 'User "system:serviceaccount:default:bot" cannot list resource "pods"' in who(world, token)


def test_what_is_taken_from_it_comes_back_and_the_token_stays(world: World) -> None:
    account(world)
    secret(world)
    token = data(world)["token"]
    world.patch(SECRETS, "token", {"data": {"namespace": None}})
    world.settle()
    assert (data(world)["namespace"], data(world)["token"]) == ("default", token)


def test_without_its_account_it_goes(world: World) -> None:
    secret(world, "nobody")
    with pytest.raises(NotFound):
        world.get(SECRETS, "token")


@pytest.mark.parametrize("again", [False, True], ids=["gone", "made anew"])
def test_it_goes_with_its_account(world: World, again: bool) -> None:
    account(world)
    secret(world)
    world.delete(SERVICEACCOUNTS, "bot")
    if again:
        account(world)
    world.settle()
    with pytest.raises(NotFound):
        world.get(SECRETS, "token")
