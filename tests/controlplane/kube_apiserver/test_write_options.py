"""Options of writes that make no sense are refused before the body is read, whatever (sub)resource is written."""

from __future__ import annotations

import pytest
from asking import DEFAULT, Object, World

MAP, POD = f"{DEFAULT}/configmaps/map", f"{DEFAULT}/pods/web"
MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
ALL = 'supported values: "All"'


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.create(f"{DEFAULT}/configmaps", {"metadata": {"name": "map"}})
    world.create(
        f"{DEFAULT}/pods", {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    )
    return world


def refused(world: World, method: str, path: str, body: Object, media_type: str = "application/json") -> str:
    answer = world.ask(method, path, body=body, content_type=media_type)
    assert answer.code in (400, 422), answer.body
    return str(answer.body["message"])


@pytest.mark.parametrize(
    ("method", "path", "media_type", "kind"),
    [
        ("POST", f"{DEFAULT}/configmaps", "application/json", "CreateOptions"),
        ("POST", f"{DEFAULT}/serviceaccounts/default/token", "application/json", "CreateOptions"),
        ("POST", f"{POD}/binding", "application/json", "CreateOptions"),
        ("POST", f"{POD}/eviction", "application/json", "CreateOptions"),
        ("PUT", MAP, "application/json", "UpdateOptions"),
        ("PUT", "/api/v1/namespaces/dev/finalize", "application/json", "UpdateOptions"),
        ("PATCH", MAP, MERGE, "PatchOptions"),
        ("PATCH", f"{POD}/status", MERGE, "PatchOptions"),
    ],
)
def test_options_are_called_by_the_verb(world: World, method: str, path: str, media_type: str, kind: str) -> None:
    said = f'{kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["x"]: {ALL}'
    assert refused(world, method, f"{path}?dryRun=x", {}, media_type) == said


def test_all_that_is_wrong_is_told(world: World) -> None:
    query = "dryRun=x&fieldManager=&fieldValidation=Some"
    assert refused(world, "PATCH", f"{MAP}?{query}", {}, APPLY) == (
        'PatchOptions.meta.k8s.io "" is invalid: [fieldManager: Required value: is required for apply patch, '
        f'dryRun: Unsupported value: ["x"]: {ALL}, '
        'fieldValidation: Unsupported value: "Some": supported values: "", "Ignore", "Strict", "Warn"]'
    )


def test_only_what_is_applied_can_be_forced(world: World) -> None:
    said = 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'
    assert refused(world, "PATCH", f"{MAP}?force=false", {}, MERGE) == said


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", f"{POD}/binding", "name in URL does not match name in Binding object"),
        ("POST", f"{POD}/eviction", "name in URL does not match name in Eviction object"),
        (
            "PUT",
            "/api/v1/namespaces/dev/finalize",
            "the name of the object (other) does not match the name on the URL (dev)",
        ),
    ],
)
def test_what_is_written_has_the_name_of_what_it_is_about(world: World, method: str, path: str, said: str) -> None:
    assert refused(world, method, path, {"metadata": {"name": "other"}}) == said
