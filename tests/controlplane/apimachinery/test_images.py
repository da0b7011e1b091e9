"""Names of images, and the tag that decides whether an image is pulled again."""

from __future__ import annotations

import pytest

from autograder.controlplane.apimachinery.images import Image, parse_image

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nginx", ("docker.io/library/nginx", "latest", "")),
        ("nginx:1.27", ("docker.io/library/nginx", "1.27", "")),
        ("library/nginx", ("docker.io/library/nginx", "latest", "")),
        ("registry.k8s.io/pause:3.10", ("registry.k8s.io/pause", "3.10", "")),
        ("localhost/app", ("localhost/app", "latest", "")),
        ("localhost:5000/a/b:c", ("localhost:5000/a/b", "c", "")),
        (f"nginx@{DIGEST}", ("docker.io/library/nginx", "", DIGEST)),
        (f"nginx:1@{DIGEST}", ("docker.io/library/nginx", "1", DIGEST)),
    ],
)
def test_the_parts_of_a_name(text: str, parts: tuple[str, str, str]) -> None:
    assert parse_image(text) == Image(*parts)


@pytest.mark.parametrize("text", ["", "NGINX", "nginx:", "nginx: 1", "a//b", "f" * 64, "-nginx", "nginx:" + "t" * 129])
def test_what_names_no_image(text: str) -> None:
    assert parse_image(text) is None
