"""The workflows name only what there is: targets of the Makefile, commands and options, pinned actions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from autograder.cli import PROGRAM, parser
from autograder.clusters.kind.provision import IMAGE_VARIABLE, NODE_IMAGE
from autograder.exercises import exercise_ids

ROOT: Final = Path(__file__).parents[1]
FILES: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
#: An action by its owner's major version, or by a commit.
PINNED: Final = re.compile(r"[\w.-]+/[\w./-]+@(v\d+|[0-9a-f]{40})")
#: What else a step may run.
OTHERS: Final = frozenset({"command", "ln", "sudo", "tee", "["})
#: What stands in for a variable: an exercise, a number.
VALUES: Final = {"EXERCISES": "pods/first-pod", "MUTANTS": "2", "?": "1"}


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    return found


def triggers(of: dict[Any, Any]) -> dict[str, Any]:
    """What starts a workflow; YAML takes the word `on` for true."""
    found: dict[str, Any] = of[True]
    return found


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        for name, job in workflow(path.name)["jobs"].items():
            yield from ((f"{path.name}: {name}", step) for step in job["steps"])


def commands() -> list[tuple[str, list[str]]]:
    """Every command that a workflow runs, as words, with where it stands."""
    found = []
    for where, step in steps():
        for line in step.get("run", "").splitlines():
            text = re.sub(r"\$\(command -v [^)]*\)", "/usr/bin/program", line)
            text = re.sub(r"\$(\w+|\?)", lambda match: VALUES[match[1]], text)
            words = shlex.split(text, comments=True)
            command: list[str] = []
            for word in (*words, "|"):
                if word in ("|", "||", "&&"):
                    found.append((where, command))
                    command = []
                else:
                    command.append(word)
    return found


def program_words(command: list[str]) -> list[str] | None:
    """What follows ``autograder`` in a command, or None if it is another one."""
    if command[:3] == ["python", "-m", PROGRAM]:
        return command[3:]
    return command[1:] if Path(command[0]).name == PROGRAM else None


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {name for line in re.findall(r"^\.PHONY:(.*)$", text, re.MULTILINE) for name in line.split()}


def test_there_are_workflows() -> None:
    assert [path.name for path in FILES] == ["ci.yml", "kind.yml"]
    assert len(commands()) > 15


@pytest.mark.parametrize(("where", "command"), commands())
def test_a_command_is_one_that_there_is(where: str, command: list[str]) -> None:
    words = program_words(command)
    if words is not None:
        options = parser().parse_args(words)  # ends the test with a message if it cannot
        assert set(getattr(options, "exercises", [])) <= set(exercise_ids())
    elif command[0] == "make":
        assert {word for word in command[1:] if "=" not in word} <= targets()
    elif command[:4] == ["python", "-m", "pip", "install"]:
        assert (ROOT / command[command.index("-c") + 1]).is_file()
    else:
        assert command[0] in OTHERS


def test_what_is_made_for_the_artefacts_is_uploaded() -> None:
    for path in FILES:
        for job in workflow(path.name)["jobs"].values():
            ran = " ".join(step.get("run", "") for step in job["steps"])
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/upload-artifact@"):
                    assert all(made.rstrip("/") in ran for made in step["with"]["path"].split())
                    assert step["if"] == "always()"


def test_actions_are_pinned_and_rights_are_few() -> None:
    assert all(PINNED.fullmatch(step["uses"]) for _, step in steps() if "uses" in step)
    checkouts = [step for _, step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)
    for path in FILES:
        found = workflow(path.name)
        assert found["permissions"] == {"contents": "read"}
        assert not any("permissions" in job for job in found["jobs"].values())
        assert "pull_request_target" not in triggers(found)
        assert "secrets." not in path.read_text(encoding="utf-8")


def test_inputs_never_become_part_of_a_script() -> None:
    assert not [where for where, step in steps() if "${{" in step.get("run", "")]


def test_every_job_has_an_end_and_a_pinned_system() -> None:
    for path in FILES:
        for job in workflow(path.name)["jobs"].values():
            assert 0 < job["timeout-minutes"] <= 360
            systems = [job["runs-on"], *job.get("strategy", {}).get("matrix", {}).get("system", [])]
            assert not [system for system in systems if system.endswith("-latest")]


def test_pip_is_cached_by_what_is_installed() -> None:
    pythons = [step["with"] for _, step in steps() if step.get("uses", "").startswith("actions/setup-python@")]
    assert pythons
    assert all((given["cache"], given["cache-dependency-path"]) == ("pip", "constraints.txt") for given in pythons)


def test_all_pythons_that_we_work_with_are_tested() -> None:
    declared = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert declared
    expected = [f"3.{minor}" for minor in range(int(declared[1]), int(declared[2]))]
    assert workflow("ci.yml")["jobs"]["test"]["strategy"]["matrix"]["python"] == expected


def test_the_parity_run_is_nightly_and_on_demand_and_on_the_image_that_goes_with_its_kind() -> None:
    found = workflow("kind.yml")
    assert {"schedule", "workflow_dispatch"} == triggers(found).keys()
    job = found["jobs"]["parity"]
    assert job["env"][IMAGE_VARIABLE] == NODE_IMAGE
    (kind,) = [step["with"] for step in job["steps"] if "kind-action" in step.get("uses", "")]
    assert kind["install_only"] is True  # the cluster is made by `--cluster kind`, as a student's is
    provision = (ROOT / "autograder" / "clusters" / "kind" / "provision.py").read_text(encoding="utf-8")
    assert f"kind {kind['version']}," in provision
