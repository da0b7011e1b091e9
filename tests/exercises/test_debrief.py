"""After passing, the student reads what the cluster did; and a student can be given the state that answers meet."""

from __future__ import annotations

import re

import pytest

from autograder.clusters.embedded import EmbeddedCluster
from autograder.controlplane.cluster import Cluster as ControlPlane
from autograder.controlplane.fronts.journal import RecordedCluster
from autograder.exercises import Exercise, Runner, exercise_ids, load
from autograder.exercises.debrief import STEPS, story
from autograder.exercises.starting import started


def told(runner: Runner, exercise: Exercise, answer: str) -> str:
    return "\n".join(story(runner, exercise, runner.judgement(exercise, exercise.answer(answer))))


def test_the_story_says_who_did_what_in_which_order(runner: Runner) -> None:
    exercise = load("replicasets/three-replicas")
    lines = story(runner, exercise, runner.judgement(exercise, exercise.answer(exercise.solution)))
    assert lines[0] == " at once  the replicaset-controller created 3 Pods for ReplicaSet web"
    assert lines[1].startswith(" at once  the default-scheduler gave 3 Pods a node (worker-")
    assert lines[2] == "    +1 s  the kubelet started the containers of 3 Pods"


def test_what_was_there_before_the_answer_is_not_told(runner: Runner) -> None:
    exercise = load("deployments/stuck-rollout")
    assert "could not start" not in told(runner, exercise, exercise.solution)


def test_other_answers_have_other_stories(runner: Runner) -> None:
    exercise = load("deployments/roll-out")
    scaled = told(runner, exercise, "kubectl scale deployment shop --replicas=3\n")
    assert "created a Pod for ReplicaSet" in scaled
    assert "deleted" not in scaled
    assert "deleted a Pod of ReplicaSet" in told(runner, exercise, "kubectl scale deployment shop --replicas=1\n")


def test_a_long_story_says_how_much_of_it_is_left_out(runner: Runner) -> None:
    exercise = load("deployments/roll-out")
    *_, last = told(runner, exercise, exercise.solution).splitlines()
    assert re.fullmatch(r" +\.\.\. and \d+ more steps", last)


def test_an_answer_that_cannot_be_read_has_no_story(runner: Runner) -> None:
    assert told(runner, load("pods/first-pod"), "a: [") == ""


@pytest.mark.parametrize("name", exercise_ids())
def test_every_solution_has_a_short_story_that_is_always_the_same(runner: Runner, name: str) -> None:
    exercise = load(name)
    first = told(runner, exercise, exercise.solution)
    assert first == told(runner, exercise, exercise.solution)
    assert len(first.splitlines()) <= STEPS + 1


@pytest.mark.parametrize("name", ["deployments/stuck-rollout", "resourcequotas/fit-the-quota"])
def test_what_a_student_is_given_is_what_answers_meet(runner: Runner, name: str) -> None:
    exercise = load(name)
    given = RecordedCluster.load(started(exercise))
    met = runner.prepared(exercise).cluster
    assert isinstance(met, EmbeddedCluster)
    twin: ControlPlane = given._cluster
    assert twin.clock.now == met.control_plane.clock.now
    for kind in ("Pod", "Event", "ReplicaSet", "Deployment"):
        assert EmbeddedCluster(twin).list(kind, "") == met.list(kind, "")
