"""Binder and Codespaces: the files that open the course there name what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

ROOT: Final = Path(__file__).parents[1]
BINDER: Final = ROOT / "binder"
CONTAINER: Final = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
SCRIPTS: Final = [BINDER / "postBuild", BINDER / "start", ROOT / ".devcontainer" / "lab.sh"]


def supported(minor: int) -> bool:
    declared = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert declared
    return int(declared[1]) <= minor < int(declared[2])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_bytes().startswith(b"#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_binder_installs_the_course_with_its_pins() -> None:
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").split("\n")
    assert lines[:2] == ["-c ../constraints.txt", "-e ."]
    assert (BINDER / lines[0].removeprefix("-c ")).resolve() == ROOT / "constraints.txt"
    python = re.fullmatch(r"python-3\.(\d+)", (BINDER / "runtime.txt").read_text(encoding="utf-8").strip())
    assert python
    assert supported(int(python[1]))


def test_binder_starts_what_it_is_given_on_the_course(tmp_path: Path) -> None:
    command = [str(BINDER / "start"), sys.executable, "-c", "import os, sys; print(os.getcwd(), sys.argv[1:])", "a b"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{ROOT / 'course'} ['a b']\n"


def test_only_parts_of_nbgrader_that_there_are_get_switched_off() -> None:
    text = (BINDER / "postBuild").read_text(encoding="utf-8")
    parts, plugins = (line.split() for line in re.findall(r"^for \w+ in (.*); do$", text, re.MULTILINE))
    import nbgrader.server_extensions

    there = {path.name for path in Path(nbgrader.server_extensions.__path__[0]).iterdir()}
    assert set(parts) < there
    lab = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / "@jupyter" / "nbgrader" / "static"
    code = "".join(path.read_text(encoding="utf-8") for path in lab.glob("*.js"))
    assert all(f"@jupyter/nbgrader:{plugin}" in code for plugin in plugins)


def test_the_container_is_a_python_that_we_work_with() -> None:
    python = re.fullmatch(r"mcr\.microsoft\.com/devcontainers/python:3\.(\d+)", CONTAINER["image"])
    assert python
    assert supported(int(python[1]))


def test_the_container_installs_and_opens_jupyterlab_on_the_forwarded_port() -> None:
    words = CONTAINER["postCreateCommand"].split()
    assert words[:4] == ["python", "-m", "pip", "install"]
    assert (ROOT / words[words.index("-c") + 1]).is_file()
    script = ROOT / CONTAINER["postAttachCommand"].removeprefix("bash ")
    text = script.read_text(encoding="utf-8")
    assert 'cd "$(dirname "$0")/../course"' in text
    (port,) = CONTAINER["forwardPorts"]
    assert f"${{PORT:-{port}}}" in text
    assert CONTAINER["portsAttributes"].keys() == {str(port)}
    assert "token=" not in text, "whoever reaches the port needs the token that JupyterLab prints"
    assert all((ROOT / name).is_file() for name in CONTAINER["customizations"]["codespaces"]["openFiles"])


def test_the_badges_lead_to_lessons_that_there_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (binder,) = re.findall(r"\]\((https://mybinder\.org/v2/\S+)\)", text)
    link = urlsplit(binder)
    assert link.path == "/v2/gh/<owner>/<repository>/HEAD"
    (opened,) = parse_qs(link.query)["urlpath"]
    assert (ROOT / "course" / opened.removeprefix("lab/tree/")).is_file()
    assert "](https://codespaces.new/<owner>/<repository>)" in text


def test_conda_users_get_the_same_packages() -> None:
    """The ranges of ``environment.yml`` are those of ``pyproject.toml``, and what pip adds is pinned as everywhere."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ranges = {
        name.lower(): bounds for name, bounds in re.findall(r'^    "([A-Za-z_-]+)([<>=][^"]*)",$', declared, re.M)
    }
    *conda, added = environment["dependencies"]
    for wanted in conda:
        name, _, bounds = wanted.partition(" ")
        if name == "python":
            assert f'requires-python = "{bounds}"' in declared
        elif bounds:
            assert bounds in (ranges[name], ranges[name].removeprefix("==")), f"{name} is {ranges[name]} for pip"
    pins = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.M))
    pip = added["pip"]
    assert pip[-2:] == ["-c constraints.txt", "-e .[dev]"]
    for wanted in pip[:-2]:
        name = re.split("[<>=]", wanted)[0]
        assert name in pins
        assert wanted == f"{name}{ranges[name]}"
