"""Who may do what: RBAC, the node authorizer, impersonation, and the words in which things are refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from asking import DEFAULT, RBAC, World, person, rule
from hypothesis import given
from hypothesis import strategies as st

from autograder.controlplane.apimachinery.wire import ADMIN, Request, RequestInfo, User
from autograder.controlplane.kube_apiserver.authorization import Action, rules

BOB = person("bob")
PODS = f"{DEFAULT}/pods"


@pytest.fixture
def world() -> World:
    return World()


# ---------------------------------------------------------------- refusals


HERE = 'in the namespace "default"'
CLUSTER = "at the cluster scope"


@pytest.mark.parametrize(
    ("method", "path", "about", "what", "where"),
    [
        ("GET", PODS, "pods", 'list resource "pods" in API group ""', HERE),
        ("GET", "/api/v1/pods", "pods", 'list resource "pods" in API group ""', CLUSTER),
        ("GET", f"{PODS}?watch=1", "pods", 'watch resource "pods" in API group ""', HERE),
        ("GET", f"{PODS}/p", 'pods "p"', 'get resource "pods" in API group ""', HERE),
        ("GET", f"{PODS}/p/log", 'pods "p"', 'get resource "pods/log" in API group ""', HERE),
        ("GET", f"{PODS}?fieldSelector=metadata.name=p", 'pods "p"', 'list resource "pods" in API group ""', HERE),
        ("DELETE", PODS, "pods", 'deletecollection resource "pods" in API group ""', HERE),
        (
            "GET",
            "/api/v1/namespaces/default",
            'namespaces "default"',
            'get resource "namespaces" in API group ""',
            HERE,
        ),
        ("GET", "/apis/batch/v1/jobs", "jobs.batch", 'list resource "jobs" in API group "batch"', CLUSTER),
        ("GET", "/apis/example.com/v1/x", "x.example.com", 'list resource "x" in API group "example.com"', CLUSTER),
    ],
)
def test_who_has_no_rule_is_told_what_he_cannot_do(
    world: World, method: str, path: str, about: str, what: str, where: str
) -> None:
    response = world.ask(method, path, BOB)
    assert (response.code, response.body["reason"]) == (403, "Forbidden")
    assert response.body["message"] == f'{about} is forbidden: User "bob" cannot {what} {where}'


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [("GET", "/metrics", 'get path "/metrics"'), ("POST", "/a<b>", 'post path "/a&lt;b&gt;"')],
)
def test_a_path_that_is_no_resource_is_refused_by_its_name(world: World, method: str, path: str, what: str) -> None:
    response = world.ask(method, path, BOB)
    assert (response.code, response.body["details"]) == (403, {})
    assert response.body["message"] == f'forbidden: User "bob" cannot {what}'


def test_a_refusal_says_which_object_and_resource_it_is_about(world: World) -> None:
    details = world.ask("GET", "/apis/apps/v1/namespaces/dev/deployments/web", BOB).body["details"]
    assert details == {"name": "web", "group": "apps", "kind": "deployments"}


def test_nobody_learns_whether_what_he_may_not_see_is_there(world: World) -> None:
    assert world.ask("POST", PODS, BOB, {"not": "a pod"}).code == 403
    assert world.ask("GET", f"{PODS}/nothing", BOB).code == 403


def test_a_binding_to_a_role_that_is_not_there_is_mentioned(world: World) -> None:
    world.bind("User:bob", "clusterrole/ghost")
    text = world.refusal("GET", PODS, BOB)
    assert text.endswith('in the namespace "default": RBAC: clusterrole.rbac.authorization.k8s.io "ghost" not found')


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("given", "allowed", "refused"),
    [
        (rule("get", "pods"), "GET /api/v1/namespaces/default/pods/p", "GET /api/v1/namespaces/default/pods"),
        (rule("*", "pods"), "GET /api/v1/namespaces/default/pods", "GET /api/v1/namespaces/default/secrets"),
        (rule("list", "*"), "GET /api/v1/namespaces/default/secrets", "GET /apis/apps/v1/deployments"),
        (rule("list", "*", "*"), "GET /apis/apps/v1/deployments", "GET /api/v1/namespaces/default/pods/p"),
        (rule("list", "pods", "-,apps"), "GET /api/v1/pods", "GET /apis/apps/v1/deployments"),
        (rule("get", "pods/log"), "GET /api/v1/namespaces/default/pods/p/log", "GET /api/v1/namespaces/default/pods/p"),
        (rule("get", "pods"), "GET /api/v1/namespaces/default/pods/p", "GET /api/v1/namespaces/default/pods/p/log"),
        (rule("get", "*/scale", "apps"), "GET /apis/apps/v1/namespaces/default/deployments/d/scale",
         "GET /apis/apps/v1/namespaces/default/deployments/d"),
        (rule("get", "pods", names="p,q"), "GET /api/v1/namespaces/default/pods/q",
         "GET /api/v1/namespaces/default/pods/r"),
        (rule("list", "pods", names="p"), "GET /api/v1/namespaces/default/pods?fieldSelector=metadata.name=p",
         "GET /api/v1/namespaces/default/pods"),
        ({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}, "GET /metrics", "GET /metrics/more"),
        ({"verbs": ["get"], "nonResourceURLs": ["/logs/*"]}, "GET /logs/a/b", "GET /metrics"),
    ],
)  # fmt: skip
def test_a_rule_allows_what_it_says_and_no_more(world: World, given: Any, allowed: str, refused: str) -> None:
    world.grant("User:bob", given)
    assert world.ask(*allowed.split(), BOB).code != 403
    assert world.ask(*refused.split(), BOB).code == 403


def test_a_role_holds_in_its_namespace_and_a_cluster_role_everywhere(world: World) -> None:
    world.grant("User:bob", rule("list", "pods"), namespace="default")
    world.grant("User:eve", rule("list", "pods"))
    assert [world.ask("GET", path, BOB).code for path in (PODS, "/api/v1/namespaces/dev/pods", "/api/v1/pods")] == [
        200, 403, 403,
    ]  # fmt: skip
    assert world.ask("GET", "/api/v1/pods", person("eve")).code == 200


def test_a_role_binding_gives_the_rules_of_a_cluster_role_in_its_namespace(world: World) -> None:
    world.bind("User:bob", "clusterrole/view", namespace="dev")
    assert world.ask("GET", "/api/v1/namespaces/dev/pods", BOB).code == 200
    assert world.ask("GET", "/api/v1/namespaces/dev/secrets", BOB).code == 403
    assert world.ask("GET", PODS, BOB).code == 403


@pytest.mark.parametrize(
    ("subject", "user"),
    [
        ("User:bob", BOB),
        ("Group:dev", person("anybody", "dev")),
        ("ServiceAccount:bot", person("system:serviceaccount:default:bot")),
    ],
)
def test_subjects_are_users_groups_and_service_accounts(world: World, subject: str, user: User) -> None:
    world.grant(subject, rule("list", "pods"), namespace="default")
    assert world.ask("GET", PODS, user).code == 200
    assert world.ask("GET", PODS, person("somebody")).code == 403


def test_what_is_changed_holds_at_once(world: World) -> None:
    assert world.ask("GET", PODS, BOB).code == 403
    world.grant("User:bob", rule("list", "pods"), namespace="default")
    assert world.ask("GET", PODS, BOB).code == 200
    world.ask("DELETE", f"{RBAC}/namespaces/default/rolebindings/granted")
    assert world.ask("GET", PODS, BOB).code == 403


def test_masters_may_do_everything_and_components_are_not_asked(world: World) -> None:
    for name in ("clusterrolebindings/cluster-admin", "clusterroles/cluster-admin"):
        assert world.ask("DELETE", f"{RBAC}/{name}").code == 200
    assert world.ask("GET", PODS, ADMIN).code == 200
    info = RequestInfo("list", "", "v1", "pods")
    component = User("system:kube-scheduler")
    assert world.api.handle(Request("GET", info=info, user=component, decoded=True)).code == 200
    assert world.api.handle(Request("GET", info=info, user=BOB, decoded=True)).code == 403


def test_a_connection_must_be_allowed_to_be_created(world: World) -> None:
    world.grant("User:bob", rule("get", "pods/exec"))
    assert 'cannot create resource "pods/exec"' in world.refusal("GET", f"{PODS}/p/exec", BOB)


# ---------------------------------------------------------------- default roles


def test_a_cluster_begins_with_the_default_roles(world: World) -> None:
    names = {one["metadata"]["name"] for one in world.ask("GET", f"{RBAC}/clusterroles").body["items"]}
    assert {"cluster-admin", "admin", "edit", "view", "system:node", "system:discovery"} <= names
    assert len(world.ask("GET", f"{RBAC}/clusterrolebindings").body["items"]) > 40


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("view", "GET /api/v1/namespaces/dev/pods", "GET /api/v1/namespaces/dev/secrets"),
        ("edit", "GET /api/v1/namespaces/dev/secrets", f"GET {RBAC}/namespaces/dev/roles"),
        ("admin", f"GET {RBAC}/namespaces/dev/roles", "DELETE /api/v1/namespaces/dev/resourcequotas/q"),
        ("cluster-admin", "DELETE /api/v1/namespaces/dev/resourcequotas/q", "GET /api/v1/nodes"),
    ],
)
def test_roles_for_people_differ_by_what_they_may(world: World, role: str, may: str, may_not: str) -> None:
    world.bind("User:bob", f"clusterrole/{role}", namespace="dev")
    assert world.ask(*may.split(), BOB).code != 403
    assert world.ask(*may_not.split(), BOB).code == 403


def test_anonymous_may_see_that_the_server_is_there(world: World) -> None:
    for path in ("/healthz", "/livez", "/readyz", "/version"):
        assert world.ask("GET", path, None).code == 200
    assert world.refusal("GET", "/api", None) == 'forbidden: User "system:anonymous" cannot get path "/api"'
    assert 'User "system:anonymous" cannot list resource "pods"' in world.refusal("GET", PODS, None)


# ---------------------------------------------------------------- nobody grants what he has not


@pytest.fixture
def manager(world: World) -> World:
    """Bob may write roles and bindings, and list pods."""
    writing = rule("create,update", "roles,rolebindings", "rbac.authorization.k8s.io")
    world.grant("User:bob", writing, rule("list,get", "pods"))
    return world


def role(*rules: Any) -> dict[str, Any]:
    return {"metadata": {"name": "new"}, "rules": list(rules)}


def test_a_role_may_grant_what_its_author_has(manager: World) -> None:
    manager.create(f"{RBAC}/namespaces/default/roles", role(rule("get", "pods", names="p")), BOB)


def test_a_role_may_not_grant_more_than_its_author_has(manager: World) -> None:
    wanted = role(rule("get,list,delete", "pods,secrets"), rule("create", "jobs", "batch"))
    text = manager.refusal("POST", f"{RBAC}/namespaces/default/roles", BOB, wanted)
    assert text == (
        'roles.rbac.authorization.k8s.io "new" is forbidden: user "bob" (groups=["system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "delete"]}\n'
        '{APIGroups:["batch"], Resources:["jobs"], Verbs:["create"]}'
    )


def test_a_role_may_not_be_changed_to_grant_more(manager: World) -> None:
    manager.create(f"{RBAC}/namespaces/default/roles", role(rule("get", "pods")), BOB)
    path = f"{RBAC}/namespaces/default/roles/new"
    assert "not currently held" in manager.refusal("PUT", path, BOB, role(rule("delete", "pods")))
    assert manager.ask("PUT", path, BOB, role(rule("list", "pods"))).code == 200


def test_who_may_escalate_grants_anything(manager: World) -> None:
    manager.grant("User:bob", rule("escalate", "roles", "rbac.authorization.k8s.io"), name="escalating")
    manager.create(f"{RBAC}/namespaces/default/roles", role(rule("*", "*", "*")), BOB)


def binding(role_name: str) -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role_name}
    return {"metadata": {"name": "new"}, "roleRef": reference, "subjects": [{"kind": "User", "name": "eve"}]}


def test_a_binding_needs_the_rules_of_the_role_or_the_verb_bind(manager: World) -> None:
    path = f"{RBAC}/namespaces/default/rolebindings"
    assert "not currently held" in manager.refusal("POST", path, BOB, binding("edit"))
    assert manager.ask("POST", path, BOB, binding("ghost")).code == 404
    manager.grant("User:bob", rule("bind", "clusterroles", "rbac.authorization.k8s.io", names="edit"), name="binding")
    manager.create(path, binding("edit"), BOB)


def few(*choices: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(choices), max_size=3, unique=True)


VERBS, GROUPS, NAMES = ("get", "list", "*"), ("", "apps", "*"), ("p", "q")
RESOURCES = ("pods", "pods/log", "scales/log", "*/log", "*")
PATHS = ("/a", "/a/b", "/a*", "/a/*", "*")
RULES = st.lists(
    st.fixed_dictionaries({
        "verbs": few(*VERBS), "apiGroups": few(*GROUPS), "resources": few(*RESOURCES), "resourceNames": few(*NAMES),
    })
    | st.fixed_dictionaries({"verbs": few(*VERBS), "nonResourceURLs": few(*PATHS)}),
    max_size=3,
)  # fmt: skip
ACTIONS = [
    *itertools.starmap(
        lambda group, resource, subresource, name: Action(BOB, "get", group, resource, subresource, name=name),
        itertools.product(("", "apps"), ("pods", "scales"), ("", "log"), ("", "p")),
    ),
    *(Action(BOB, "list", path=path) for path in ("/a", "/a/b", "/ab", "/c")),
]


@given(owned=RULES, wanted=RULES)
def test_rules_that_are_covered_allow_nothing_that_the_others_do_not(owned: Any, wanted: Any) -> None:
    assert rules.uncovered(wanted, wanted) == []
    if not rules.uncovered(owned, wanted):
        for action in ACTIONS:
            if any(rules.allows(one, action) for one in wanted):
                assert any(rules.allows(one, action) for one in owned)


# ---------------------------------------------------------------- as somebody else


def test_an_administrator_acts_as_anybody(world: World) -> None:
    text = world.refusal("GET", PODS, ADMIN, impersonate_user="jane")
    assert text.startswith('pods is forbidden: User "jane" cannot list')
    world.grant("Group:dev", rule("list", "pods"))
    assert world.ask("GET", PODS, ADMIN, impersonate_user="jane", impersonate_group="ops\ndev").code == 200


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        ("jane", ["system:authenticated"]),
        ("system:anonymous", ["system:unauthenticated"]),
        (
            "system:serviceaccount:dev:bot",
            ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"],
        ),
        ("system:node:worker-1", ["system:nodes", "system:authenticated"]),
    ],
)
def test_who_is_impersonated_is_in_the_groups_that_he_would_be_in(world: World, user: str, groups: list[str]) -> None:
    world.bind("Group:system:unauthenticated", "clusterrole/system:basic-user")
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    review = world.ask("POST", path, ADMIN, {"metadata": {}}, impersonate_user=user)
    assert review.body["status"]["userInfo"] == {"username": user, "groups": groups}


def test_uid_and_extra_are_impersonated_too(world: World) -> None:
    headers = {"impersonate_user": "jane", "impersonate_uid": "42", "impersonate_extra_scopes": "view\nedit"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    review = world.ask("POST", path, ADMIN, {"metadata": {}}, **headers)
    info = review.body["status"]["userInfo"]
    assert (info["uid"], info["extra"]) == ("42", {"scopes": ["view", "edit"]})


def test_groups_without_a_user_make_no_sense(world: World) -> None:
    response = world.ask("GET", PODS, ADMIN, impersonate_group="dev")
    assert (response.code, response.body["message"]) == (
        400,
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"dev"}, Extra:map[string][]string(nil)} without '
        "impersonating a user name",
    )


def test_who_may_not_impersonate_is_told_what_he_lacks(world: World) -> None:
    world.grant("User:bob", rule("list", "pods"))
    assert world.refusal("GET", PODS, BOB, impersonate_user="jane") == (
        'pods is forbidden: User "bob" cannot impersonate-on:user-info:list resource "pods" in API group "" in the '
        'namespace "default"'
    )


def test_the_verb_impersonate_is_asked_for_every_part_of_a_user(world: World) -> None:
    world.grant("User:bob", rule("impersonate", "users", names="jane"), rule("impersonate", "groups", names="dev"))
    world.grant("User:jane", rule("list", "pods"), name="listing")
    assert world.ask("GET", PODS, BOB, impersonate_user="jane", impersonate_group="dev").code == 200
    assert world.ask("GET", PODS, BOB, impersonate_user="jane", impersonate_group="ops").code == 403
    assert world.ask("GET", PODS, BOB, impersonate_user="eve").code == 403


def test_impersonation_can_be_allowed_for_some_verbs_only(world: World) -> None:
    world.grant(
        "User:bob",
        rule("impersonate:user-info", "users", "authentication.k8s.io", names="jane"),
        rule("impersonate-on:user-info:list", "pods"),
    )
    world.grant("User:jane", rule("list,get", "pods"), name="listing")
    assert world.ask("GET", PODS, BOB, impersonate_user="jane").code == 200
    assert world.ask("GET", f"{PODS}/p", BOB, impersonate_user="jane").code == 403


# ---------------------------------------------------------------- nodes


@pytest.fixture
def nodes(world: World) -> World:
    """A pod on worker-1 that uses one Secret, and a Secret that nobody uses."""
    for name in ("used", "unused"):
        world.create(f"{DEFAULT}/secrets", {"metadata": {"name": name}})
    container = {"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": "used"}}]}
    world.create(PODS, {"metadata": {"name": "p"}, "spec": {"nodeName": "worker-1", "containers": [container]}})
    return world


@pytest.mark.parametrize(
    ("request_line", "why"),
    [
        ("GET /api/v1/nodes/worker-1", ""),
        ("GET /api/v1/nodes/worker-2", "node 'worker-1' cannot read 'worker-2', only its own Node object"),
        ("GET /api/v1/nodes", "node 'worker-1' cannot read all nodes, only its own Node object"),
        (f"GET {PODS}/p", ""),
        (f"GET {PODS}/other", "no relationship found between node 'worker-1' and this object"),
        ("GET /api/v1/pods?fieldSelector=spec.nodeName=worker-1", ""),
        ("GET /api/v1/pods", "can only list/watch pods with spec.nodeName field selector"),
        (f"GET {DEFAULT}/secrets/used", ""),
        (f"GET {DEFAULT}/secrets/unused", "no relationship found between node 'worker-1' and this object"),
        (f"GET {DEFAULT}/secrets", "No Object name found"),
        (f"DELETE {DEFAULT}/secrets/used", "can only read resources of this type"),
        ("GET /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-1", ""),
        (
            "GET /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-2",
            "can only access node lease with the same name as the requesting node",
        ),
        ("GET /api/v1/services", ""),
    ],
)
def test_a_kubelet_sees_what_its_node_needs(nodes: World, request_line: str, why: str) -> None:
    response = nodes.ask(*request_line.split(), person("system:node:worker-1", "system:nodes"))
    if why:
        assert response.body["message"].endswith(why)
    assert (response.code == 403) == bool(why)
