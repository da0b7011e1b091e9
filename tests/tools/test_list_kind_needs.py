"""What a kind cluster gets beforehand is what exercises need now."""

from __future__ import annotations

import json

from tools.list_kind_needs import FILE, needs


def test_the_list_of_needs_is_that_of_the_exercises() -> None:
    assert json.loads(FILE.read_text()) == needs(), "run: python tools/list_kind_needs.py"


def test_images_have_their_full_names_and_exist() -> None:
    images = needs()["images"]
    assert "docker.io/library/nginx:1.27" in images
    assert "docker.io/library/nginx:1.72" not in images
