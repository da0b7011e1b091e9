"""The table of allowed flags against kubectl itself: where they disagree on what follows a flag, more gets through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.clusters import kubectl
from autograder.exercises import allowed

#: Commands below those of the table.
BELOW = {
    "apply": "view-last-applied set-last-applied",
    "cluster-info": "dump",
    "create": "clusterrole clusterrolebinding configmap cronjob deployment ingress job namespace poddisruptionbudget "
    "priorityclass quota role rolebinding secret+docker-registry secret+generic secret+tls service+clusterip "
    "service+externalname service+loadbalancer service+nodeport serviceaccount token",
    "rollout": "history pause restart resume status undo",
    "set": "env image resources selector serviceaccount subject",
    "top": "node pod",
}
#: Flags whose value may be left out, though they are more than yes or no.
OPTIONAL = ("--dry-run", "--cascade", "--validate")


def flags_of(words: list[str], folder: Path) -> Iterator[tuple[str, str]]:
    """The flags of a command as its help tells them, and whether a value follows."""
    ran = kubectl.run(
        [*words, "--help"], kubeconfig=folder / "none", home=folder, folder=folder, timeout=120, most=100_000, lean=True
    )
    for short, long, default in re.findall(r"^ +(?:(-\w), )?(--[a-z-]+)=(.*):$", ran.out, re.MULTILINE):
        follows = "no" if default in ("true", "false") or long in OPTIONAL else "a value"
        yield from ((spelling, follows) for spelling in (short, long) if spelling)


@pytest.mark.parametrize("verb", sorted(allowed.FLAGS))
def test_kubectl_takes_for_a_value_what_the_table_does(verb: str, tmp_path: Path) -> None:
    commands = [[verb], *([verb, *below.split("+")] for below in BELOW.get(verb, "").split())]
    for command in commands:
        for flag, follows in flags_of(command, tmp_path):
            if flag in allowed._TABLE[verb]:
                assert (flag, "a value" if allowed.takes_value(verb, flag) else "no") == (flag, follows)
