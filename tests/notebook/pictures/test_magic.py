"""``%picture``: drawn from a live cluster, and nothing a student writes raises."""

from __future__ import annotations

import pytest

from autograder.notebook.home import Home
from autograder.notebook.magics import CourseMagics
from autograder.notebook.pictures.live import KINDS, Live
from autograder.notebook.pictures.magic import USAGE, draw

DEPLOY = "create deployment drawn --image=nginx:1.27"


@pytest.fixture(scope="module")
def live(shared_magics: CourseMagics, shared_home: Home) -> Live:
    """A cluster with a Deployment, its Service, a quota, and a manifest to try."""
    shared_magics.kubectl(DEPLOY)
    shared_magics.kubectl("create quota drawn --hard=services=20")
    shared_magics.kubectl("run drawn --image=nginx:1.27 --port=80 --expose")
    shared_magics.cluster("advance 5")
    shared_magics.manifest("drawn.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: drawn\n")
    return Live(shared_home)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cluster", "of Deployment drawn"),
        ("service drawn", "endpoint 10.244."),
        ("quota drawn", "of 20 ("),
        ("quota drawn -n default", "of 20 ("),
        ("rollout drawn", "1 of 1 ready"),
        ("scheduler drawn", "chosen"),
        ("etcd", "/registry/"),
        ("trace drawn.yaml", "etcd: stored /registry/configmaps/default/drawn"),
    ],
)
def test_a_picture_shows_the_live_cluster(live: Live, line: str, said: str) -> None:
    assert said in str(draw(live, line))


def test_a_trace_changes_nothing(live: Live) -> None:
    assert str(draw(live, "trace drawn.yaml")) == str(draw(live, "trace drawn.yaml"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("circus", USAGE),
        ("service", USAGE),
        ("cluster now", USAGE),
        ("quota q --watch", USAGE),
        ("service nobody", 'services "nobody" not found'),
        ("trace ../secret.yaml", "no plain file name"),
        ("trace missing.yaml", "there is no file missing.yaml"),
        ("scheduler 'x", "a quotation is not closed"),
    ],
)
def test_what_cannot_be_drawn_is_said(live: Live, capsys: pytest.CaptureFixture[str], line: str, said: str) -> None:
    assert draw(live, line) is None
    assert said in capsys.readouterr().err


def test_without_a_cluster_there_is_no_picture(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert draw(Live(home), "cluster") is None
    assert "`%cluster new` starts one" in capsys.readouterr().err


def test_without_a_word_the_pictures_are_listed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    draw(Live(home), "")
    printed = capsys.readouterr().out
    assert all(f"%picture {name}" in printed for name in KINDS)
