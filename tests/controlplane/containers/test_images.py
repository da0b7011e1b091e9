"""The catalogue of images, and what containerd says of an image that is not in it."""

from __future__ import annotations

import pytest

from autograder.controlplane.containers import images
from autograder.controlplane.containers.applets import APPLETS
from autograder.controlplane.containers.builtin import BUILTINS


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("docker.io/nginx:alpine", "docker.io/library/nginx:alpine"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
    ],
)
def test_an_image_is_found_by_any_of_its_names(text: str, reference: str) -> None:
    image = images.find(text)
    assert image is not None
    assert image.reference == reference
    assert images.find(f"{image.name}@{image.digest}") == image


@pytest.mark.parametrize("text", ["nginx:9.99", "nginx:latst", "nosuch/image", "NGINX", ""])
def test_other_images_do_not_exist(text: str) -> None:
    assert images.find(text) is None


def test_an_unknown_tag_and_an_unknown_repository_are_told_apart() -> None:
    assert images.pull_failure("nginx:9.99").endswith("docker.io/library/nginx:9.99: not found")
    assert "pull access denied, repository does not exist or may require authorization" in (
        images.pull_failure("nosuch/image")
    )


def test_every_command_that_an_image_is_said_to_have_can_be_run() -> None:
    tools = {tool for image in images.CATALOGUE.values() for tool in image.tools}
    assert tools - APPLETS.keys() - BUILTINS.keys() == set()


def test_no_two_images_share_a_digest() -> None:
    digests = [image.digest for image in images.CATALOGUE.values()]
    assert len(digests) == len(set(digests))
