"""Which namespaces are left over: ours, of a process that is gone or too old; and never anybody else's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import pytest

from autograder.clusters.leftovers import LONGEST, PROCESS, STARTED, is_left_over, marked, unmarked

NAMESPACE: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "autograder-dev-1a2b3c4d"}}


def noted(**notes: str) -> dict[str, Any]:
    namespace = marked(NAMESPACE, "room")
    annotations = {**namespace["metadata"]["annotations"], **notes}
    return {**namespace, "metadata": {**namespace["metadata"], "annotations": annotations}}


def test_what_a_living_process_made_is_in_use() -> None:
    assert not is_left_over(noted())
    assert not is_left_over(noted(**{PROCESS: str(os.getppid())}))


def test_what_a_process_made_that_is_gone_is_left_over() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert is_left_over(noted(**{PROCESS: str(gone.pid)}))


@pytest.mark.skipif(sys.platform != "linux", reason="needs a system that tells when processes began")
def test_another_process_of_the_same_number_is_not_the_one_that_made_it() -> None:
    assert is_left_over(noted(**{PROCESS: f"{os.getpid()}@1"}))


def test_on_other_machines_only_age_counts() -> None:
    elsewhere = noted(**{PROCESS: "1", "autograder/machine": "elsewhere"})
    assert not is_left_over(elsewhere)
    old = str(int(time.time()) - LONGEST - 1)
    assert is_left_over(noted(**{STARTED: old, "autograder/machine": "elsewhere"}))


@pytest.mark.parametrize(
    "namespace",
    [
        pytest.param({"metadata": {"name": "autograder-mine"}}, id="no notes"),
        pytest.param({"metadata": {**noted(**{STARTED: "1"})["metadata"], "name": "team"}}, id="another name"),
        pytest.param(noted(**{STARTED: "yesterday"}), id="unreadable notes"),
        pytest.param(
            {"metadata": {**noted(**{STARTED: "1"})["metadata"], "deletionTimestamp": "x"}}, id="already going"
        ),
    ],
)
def test_what_may_be_somebody_elses_is_left_alone(namespace: dict[str, Any]) -> None:
    assert not is_left_over(namespace)


def test_marks_can_be_taken_off_again() -> None:
    own = {**NAMESPACE, "metadata": {"name": "x", "labels": {"team": "a"}, "annotations": {"note": "b"}}}
    assert unmarked(marked(own, "room")) == own
    assert unmarked(marked(NAMESPACE, "room")) == NAMESPACE
