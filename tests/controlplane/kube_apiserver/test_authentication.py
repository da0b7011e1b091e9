"""Who asks: tokens of service accounts, and nobody."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from asking import DEFAULT, World, person, rule

from autograder.controlplane.apimachinery.wire import ADMIN

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
TOKEN = f"{DEFAULT}/serviceaccounts/default/token"
REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"


@pytest.fixture
def world() -> World:
    return World()


def whoami(world: World, token: str) -> Any:
    """What the API server takes the owner of a token for; None if it does not know him."""
    response = world.ask("POST", WHOAMI, None, {"metadata": {}}, authorization=f"Bearer {token}")
    if response.code == 401:
        return None
    assert response.code == 201, response.body
    return response.body["status"]["userInfo"]


def reviewed(world: World, token: str, **spec: Any) -> Any:
    return world.create(REVIEW, {"spec": {"token": token, **spec}})["status"]


def claims(token: str) -> Any:
    content = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))


# ---------------------------------------------------------------- using tokens


def test_a_token_is_the_service_account(world: World) -> None:
    info = whoami(world, world.token())
    assert info["username"] == "system:serviceaccount:default:default"
    assert info["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
    assert info["uid"] == world.ask("GET", f"{DEFAULT}/serviceaccounts/default").body["metadata"]["uid"]


def test_a_token_has_the_rights_of_the_service_account(world: World) -> None:
    world.grant("ServiceAccount:default", rule("list", "pods"), namespace="default")
    authorization = f"Bearer {world.token()}"
    assert world.ask("GET", f"{DEFAULT}/pods", None, authorization=authorization).code == 200
    assert world.ask("GET", f"{DEFAULT}/secrets", None, authorization=authorization).code == 403


@pytest.mark.parametrize("change", [lambda token: token + "x", lambda token: token[:-1], lambda token: "x" + token,
                                    lambda token: token.replace(".", "", 1), lambda token: "é" + token,
                                    lambda token: "admin", lambda token: "a.b.c", lambda token: "." * 50])  # fmt: skip
def test_what_is_no_token_of_ours_is_nobodys(world: World, change: Any) -> None:
    response = world.ask("GET", "/version", None, authorization=f"Bearer {change(world.token())}")
    assert response.code == 401
    assert response.body == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "Unauthorized",
        "reason": "Unauthorized", "code": 401,
    }  # fmt: skip


def test_a_token_of_another_cluster_is_worth_nothing(world: World) -> None:
    assert whoami(World(seed=1), world.token()) is None
    assert whoami(World(), world.token()) is not None


def test_a_changed_claim_breaks_the_signature(world: World) -> None:
    header, _, signature = world.token().split(".")
    forged = {**claims(world.token()), "sub": "system:serviceaccount:kube-system:default"}
    content = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    assert whoami(world, f"{header}.{content}.{signature}") is None


def test_a_token_ends_with_its_time(world: World) -> None:
    token = world.token(expirationSeconds=600)
    world.advance(601)
    assert whoami(world, token) is not None, "clocks may be a minute apart"
    world.advance(60)
    assert whoami(world, token) is None
    assert reviewed(world, token)["error"] == "[invalid bearer token, service account token has expired]"


def test_a_token_ends_with_its_service_account(world: World) -> None:
    token = world.token()
    world.ask("DELETE", f"{DEFAULT}/serviceaccounts/default")
    assert whoami(world, token) is None
    world.create(f"{DEFAULT}/serviceaccounts", {"metadata": {"name": "default"}})
    assert "does not match claim" in reviewed(world, token)["error"], "another one of that name is another one"


def test_a_token_ends_with_the_object_it_is_bound_to(world: World) -> None:
    world.create(f"{DEFAULT}/secrets", {"metadata": {"name": "s"}})
    token = world.token(boundObjectRef={"apiVersion": "v1", "kind": "Secret", "name": "s"})
    assert whoami(world, token) is not None
    world.ask("DELETE", f"{DEFAULT}/secrets/s")
    assert reviewed(world, token) == {
        "user": {}, "error": "[invalid bearer token, service account token has been invalidated]",
    }  # fmt: skip


def test_the_token_of_a_pod_tells_of_pod_and_node(world: World) -> None:
    spec = {"nodeName": "worker-1", "containers": [{"name": "c", "image": "i"}]}
    world.create("/api/v1/nodes", {"metadata": {"name": "worker-1"}})
    world.create(f"{DEFAULT}/pods", {"metadata": {"name": "p"}, "spec": spec})
    token = world.token(boundObjectRef={"apiVersion": "v1", "kind": "Pod", "name": "p"})
    extra = whoami(world, token)["extra"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["p"]
    assert extra["authentication.kubernetes.io/node-name"] == ["worker-1"]


def test_a_token_for_others_is_none_for_the_api_server(world: World) -> None:
    token = world.token(audiences=["vault"])
    assert whoami(world, token) is None
    assert reviewed(world, token, audiences=["vault", "other"])["audiences"] == ["vault"]


def test_a_user_that_the_front_knows_needs_no_token(world: World) -> None:
    response = world.ask("POST", WHOAMI, person("jane", "dev"), {"metadata": {}}, authorization="Bearer nonsense")
    assert response.body["status"]["userInfo"] == {"username": "jane", "groups": ["dev", "system:authenticated"]}


def test_whoever_shows_nothing_is_anonymous(world: World) -> None:
    world.bind("Group:system:unauthenticated", "clusterrole/system:basic-user")
    info = world.create(WHOAMI, {"metadata": {}}, None)["status"]["userInfo"]
    assert info == {"username": "system:anonymous", "groups": ["system:unauthenticated"]}


# ---------------------------------------------------------------- asking for tokens


def request(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


def test_a_token_is_for_an_hour_and_the_api_server_unless_asked_otherwise(world: World) -> None:
    answer = world.create(TOKEN, request())
    assert answer["spec"]["expirationSeconds"] == 3600
    assert answer["spec"]["audiences"] == ["https://kubernetes.default.svc.cluster.local"]
    assert answer["status"]["expirationTimestamp"] == "2026-01-01T10:00:00Z"
    assert answer["metadata"]["name"] == "default"


def test_a_token_is_a_json_web_token(world: World) -> None:
    found = claims(world.token(expirationSeconds=1200, audiences=["a", "b"]))
    assert found["sub"] == "system:serviceaccount:default:default"
    assert (found["aud"], found["exp"] - found["iat"], found["nbf"]) == (["a", "b"], 1200, found["iat"])
    assert found["kubernetes.io"]["serviceaccount"]["name"] == "default"


def test_equal_clusters_issue_equal_tokens() -> None:
    assert World().token() == World().token()


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (request(expirationSeconds=599), 422,
         'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not '
         "specify a duration less than 10 minutes"),
        (request(expirationSeconds=1 << 33), 422, "may not specify a duration larger than 2^32 seconds"),
        (request(boundObjectRef={"apiVersion": "v1", "kind": "Pod", "name": "p"}), 404, 'pods "p" not found'),
        (request(boundObjectRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}), 400,
         "cannot bind token to object of type apps/v1, Kind=Deployment"),
        ({**request(), "metadata": {"name": "other"}}, 422, "must match the service account name if specified"),
        ({**request(), "metadata": {"uid": "other"}}, 409, "the UID in the token request (other) does not match"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_followed_is_refused(world: World, body: Any, code: int, text: str) -> None:
    response = world.ask("POST", TOKEN, ADMIN, body)
    assert response.code == code
    assert text in response.body["message"]


def test_tokens_are_for_service_accounts_that_exist_and_for_who_may_create_them(world: World) -> None:
    path = f"{DEFAULT}/serviceaccounts/nobody/token"
    assert world.ask("POST", path, ADMIN, request()).body["message"] == 'serviceaccounts "nobody" not found'
    assert 'cannot create resource "serviceaccounts/token"' in world.refusal("POST", TOKEN, person("bob"), request())


def test_a_fork_knows_the_tokens_of_its_parent_and_goes_its_own_way(world: World) -> None:
    token = world.token()
    twin = World()
    twin.api = world.api.fork(world.clock.fork(), lambda: None)
    twin.ask("DELETE", f"{DEFAULT}/serviceaccounts/default")
    assert whoami(twin, token) is None
    assert whoami(world, token) is not None
