"""What a check tries out on copies of the cluster is noted, so that a verdict can tell it."""

from __future__ import annotations

import pytest

from autograder.checks import Case, Notes, Sources, Trial
from autograder.checks.witness import MOST
from autograder.clusters import Capability, need, open_cluster
from autograder.controlplane.apimachinery.errors import StatusError

MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}}


@pytest.fixture
def trial() -> Trial:
    return Trial(Case(open_cluster("embedded"), Sources((), "default")), Notes())


def test_every_act_is_noted_in_order(trial: Trial) -> None:
    trial.cluster.create(MAP)
    subject = trial.patch(trial.object("ConfigMap", "m"), {"data": {"a": "2"}})
    trial.delete(subject)
    trial.cluster.stop("kube-scheduler")
    trial.cluster.start("kube-scheduler")
    trial.cluster.power_off("worker-1")
    trial.cluster.power_on("worker-1")
    trial.after(5)
    assert trial.notes.steps == [
        "create ConfigMap m", "patch ConfigMap m", "delete ConfigMap m", "stop the kube-scheduler",
        "start the kube-scheduler", "cut the power of worker-1", "give worker-1 its power back", "let 5 s pass",
    ]  # fmt: skip


def test_looking_is_not_noted(trial: Trial) -> None:
    trial.objects("Pod")
    trial.cluster.settle()
    assert trial.notes.steps == []


def test_a_refusal_is_noted(trial: Trial) -> None:
    with pytest.raises(StatusError):
        trial.cluster.create({**MAP, "metadata": {"name": "Not A Name"}})
    assert trial.notes.steps == ["create ConfigMap Not A Name: refused (422 Invalid)"]


def test_copies_of_a_copy_have_the_same_witness_and_can_do_the_same(trial: Trial) -> None:
    need(trial.cluster, *Capability)
    inner = trial.trial()
    inner.drain("worker-1")
    assert trial.notes.steps[0] == "patch Node worker-1"
    assert any(step.startswith("evict Pod coredns") for step in trial.notes.steps)


def test_a_request_is_told_with_its_answer(trial: Trial) -> None:
    trial.request("http://no-such-service/")
    assert trial.notes.steps[-1] == "which asked http://no-such-service/: no answer"


def test_what_is_done_a_thousand_times_is_not_noted_as_often(trial: Trial) -> None:
    for _ in range(MOST + 5):
        trial.after(1)
    assert len(trial.notes.steps) == MOST
