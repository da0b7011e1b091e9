"""Namespaces by two names: what means one is rewritten, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.clusters.translation import Translation

DEV, DEFAULT = "autograder-dev-1a2b3c4d", "autograder-default-5e6f7a8b"


@pytest.fixture
def names() -> Translation:
    translation = Translation()
    translation.add("dev", DEV)
    translation.add("default", DEFAULT)
    return translation


@pytest.mark.parametrize(
    ("obj", "ours"),
    [
        ({"metadata": {"namespace": "dev", "name": "dev"}}, {"metadata": {"namespace": DEV, "name": "dev"}}),
        ({"subjects": [{"name": "x", "namespace": "dev"}]}, {"subjects": [{"name": "x", "namespace": DEV}]}),
        ({"namespaces": ["dev", "prod"]}, {"namespaces": [DEV, "prod"]}),
        (
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "dev", "team": "dev"}}},
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": DEV, "team": "dev"}}},
        ),
    ],
)
def test_fields_that_mean_a_namespace_are_rewritten(names: Translation, obj: Any, ours: Any) -> None:
    assert names.inward(obj) == ours


@pytest.mark.parametrize(
    "obj",
    [
        {"data": {"namespace": "dev"}},
        {"labels": {"namespace": "dev", "namespaces": "dev"}},
        {"name": "dev", "image": "dev/dev:dev", "text": "see dev and web.dev for more"},
        {"metadata": {"namespace": "prod"}},
        {"replicas": 3, "namespace": None},
    ],
)
def test_everything_else_stays(names: Translation, obj: Any) -> None:
    assert names.inward(obj) == obj


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("nslookup web.dev.svc.cluster.local", f"nslookup web.{DEV}.svc.cluster.local"),
        ("web.dev.svc:80 and db.default.svc", f"web.{DEV}.svc:80 and db.{DEFAULT}.svc"),
        ("wget http://web.dev/index.html", f"wget http://web.{DEV}/index.html"),
        ("http://web.dev", f"http://web.{DEV}"),
        ("http://web.developers/", "http://web.developers/"),
        ("https://www.example.dev/", "https://www.example.dev/"),
        ("the dev.svc of all", "the dev.svc of all"),
    ],
)
def test_dns_names_of_services_are_rewritten(names: Translation, text: str, ours: str) -> None:
    assert names.text_in(text) == ours


def test_on_the_way_back_every_name_of_ours_is_replaced(names: Translation) -> None:
    text = f'{{"namespace":"{DEV}","message":"pods in {DEFAULT} and web.{DEV}.svc"}}'
    assert names.text_out(text) == '{"namespace":"dev","message":"pods in default and web.dev.svc"}'
