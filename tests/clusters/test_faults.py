"""Lost connections, busy servers, restarts: what could not be seen is "could not be judged", and never held against
an answer.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from faults import DROP, HANG, LOSE_ANSWER, RESET, Fault, Proxy, proxied
from serving import serving
from waiting import AMPLE, comes

from autograder.checks import Outcome, Status, Verdict
from autograder.clusters import ClusterError, connection
from autograder.clusters.connection import Connection
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.clusters.leftovers import PREFIX
from autograder.controlplane.apimachinery.errors import TooManyRequests
from autograder.controlplane.apimachinery.scheme import NAMESPACES
from autograder.exercises import Runner, load
from autograder.exercises.exercise import Exercise

PACE = replace(QUICK, longest_wait=AMPLE, longest_advance=2)
#: Wrong answers whose Pod runs, so that nobody waits for what never comes.
WRONG = ("annotation-for-label.yaml", "no-label.yaml", "other-tag.yaml")


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return load("pods/first-pod")


@pytest.fixture
def proxy(config: Path, tmp_path: Path) -> Iterator[Proxy]:
    with proxied(config, tmp_path) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PAUSES", (0.01, 0.02, 0.05))


@pytest.fixture
def runner(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    cluster = KubeconfigCluster.open(proxy.config, pace=PACE)
    yield Runner(cluster)
    proxy.after(0, None)
    monkeypatch.setattr(connection, "TIMEOUTS", (AMPLE, AMPLE))
    monkeypatch.setattr(connection, "IMPATIENT", AMPLE)
    cluster.close()


def judge(runner: Runner, exercise: Exercise, text: str = "") -> Verdict:
    return runner.judge(exercise, exercise.answer(text or exercise.solution))


def said(verdict: Verdict) -> str:
    """The first thing that could not be judged."""
    return next(one.message for one in verdict.criteria if one.outcome is Outcome.COULD_NOT_BE_JUDGED)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(RESET, "no connection to the cluster", id="reset"),
        pytest.param(DROP, "no connection to the cluster", id="dropped"),
        pytest.param(HANG, "no answer within", id="too slow"),
        pytest.param(401, "does not accept the credentials", id="401"),
        pytest.param(403, "not now", id="403"),
        pytest.param(429, r"cannot answer now \(429\)", id="429"),
        pytest.param(500, r"cannot answer now \(500\)", id="500"),
        pytest.param(502, r"cannot answer now \(500\)", id="a gateway that speaks HTML"),
        pytest.param(503, r"cannot answer now \(503\)", id="503"),
        pytest.param(504, r"cannot answer now \(504\)", id="504"),
    ],
)
@pytest.mark.parametrize("count", [0, 4, 9])
def test_a_cluster_that_is_lost_is_nobodys_mistake(
    proxy: Proxy,
    runner: Runner,
    exercise: Exercise,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    words: str,
    count: int,
) -> None:
    if fault == HANG:
        monkeypatch.setattr(connection, "TIMEOUTS", (AMPLE, 0.5))
    proxy.after(count, fault)
    verdict = judge(runner, exercise)
    assert verdict.status is Status.COULD_NOT_BE_JUDGED, verdict.to_json()
    message = said(verdict)
    assert message.startswith("could not be judged: ")
    assert "\n" not in message
    assert "Traceback" not in message
    assert re.search(words, message), message


@pytest.mark.parametrize("fault", [RESET, DROP, 503, 429, 500])
def test_an_api_server_may_be_away_for_a_while(proxy: Proxy, runner: Runner, exercise: Exercise, fault: Fault) -> None:
    reads = 0

    def two_reads(number: int, method: str, path: str) -> Fault:
        nonlocal reads
        reads += method == "GET" and number > 5
        return fault if method == "GET" and reads in (4, 5) else None

    proxy.fault = two_reads
    assert judge(runner, exercise).is_full
    assert proxy.hit == 2


def test_a_failure_that_an_outage_may_explain_is_not_held_against_the_answer(
    proxy: Proxy, runner: Runner, exercise: Exercise
) -> None:
    wrong = exercise.mutants[WRONG[0]]
    assert judge(runner, exercise, wrong).status is Status.GRADED
    begin = proxy.requests
    proxy.fault = lambda number, method, path: 503 if number == begin + 5 else None
    verdict = judge(runner, exercise, wrong)
    assert verdict.status is Status.COULD_NOT_BE_JUDGED
    assert "interruption" in str(verdict.to_json())


@pytest.mark.parametrize("seed", range(8))
def test_whatever_goes_wrong_a_right_answer_loses_nothing_and_a_wrong_one_gains_nothing(
    proxy: Proxy, runner: Runner, exercise: Exercise, seed: int
) -> None:
    dice = random.Random(seed)
    wrong = exercise.mutants[dice.choice(WRONG)]
    most = judge(runner, exercise, wrong).earned
    faults = (RESET, DROP, LOSE_ANSWER, 429, 500, 503, 504)
    proxy.fault = lambda number, method, path: dice.choice(faults) if dice.random() < 0.08 else None
    right = judge(runner, exercise)
    assert right.is_full or right.status is Status.COULD_NOT_BE_JUDGED, right.to_json()
    lost = judge(runner, exercise, wrong)
    assert lost.earned <= most
    assert lost.status in (Status.GRADED, Status.COULD_NOT_BE_JUDGED)


def test_a_namespace_whose_creation_was_never_confirmed_is_deleted_all_the_same(proxy: Proxy, config: Path) -> None:
    cluster = KubeconfigCluster.open(proxy.config, pace=PACE)
    proxy.after(0, LOSE_ANSWER, times=1)
    with pytest.raises(ClusterError, match="no connection"):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "unconfirmed"}})
    owner = Connection(config)
    assert f"{PREFIX}unconfirmed" in owner.send("GET", NAMESPACES)
    cluster.close()
    living = [one for one in json.loads(owner.send("GET", NAMESPACES))["items"] if one["status"]["phase"] == "Active"]
    assert f"{PREFIX}unconfirmed" not in json.dumps(living)


def test_what_was_not_confirmed_is_not_done_twice(proxy: Proxy) -> None:
    way = Connection(proxy.config)
    way.send("GET", NAMESPACES)
    proxy.after(0, LOSE_ANSWER)
    before = proxy.requests
    with pytest.raises(ClusterError):
        way.send("POST", NAMESPACES, body={})
    assert proxy.requests == before + 1


def test_a_server_that_stays_silent_is_asked_once_from_then_on_until_it_answers(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = Connection(proxy.config)
    way.send("GET", NAMESPACES)
    monkeypatch.setattr(connection, "PERSEVERANCE", 0.3)
    monkeypatch.setattr(connection, "TIMEOUTS", (AMPLE, 0.5))
    monkeypatch.setattr(connection, "IMPATIENT", 0.1)
    proxy.after(0, HANG)
    for seconds in (0.5, 0.1, 0.1):
        before = proxy.requests
        with pytest.raises(ClusterError, match=f"no answer within {seconds} seconds"):
            way.send("GET", NAMESPACES)
        assert comes(lambda before=before: proxy.requests > before)
        assert proxy.requests == before + 1
    monkeypatch.setattr(connection, "TIMEOUTS", (AMPLE, AMPLE))
    monkeypatch.setattr(connection, "IMPATIENT", AMPLE)
    proxy.after(0, RESET, times=1)
    with pytest.raises(ClusterError):
        way.send("GET", NAMESPACES)
    way.send("GET", NAMESPACES)
    proxy.after(0, RESET, times=1)
    assert way.send("GET", NAMESPACES)


def test_an_eviction_that_a_budget_forbids_is_an_answer() -> None:
    refusal = TooManyRequests("no", details={"causes": [{"reason": "DisruptionBudget", "message": "needs 2"}]})
    assert not connection.is_no_answer(refusal)
    assert connection.is_no_answer(TooManyRequests("later"))


def test_an_authority_that_has_not_signed_the_server_is_told(config: Path, tmp_path: Path) -> None:
    known = yaml.safe_load(config.read_text())
    with serving(tmp_path) as other:
        authority = yaml.safe_load(other.read_text())["clusters"][0]["cluster"]["certificate-authority-data"]
    known["clusters"][0]["cluster"]["certificate-authority-data"] = authority
    (tmp_path / "wrong").write_text(yaml.safe_dump(known))
    with pytest.raises(ClusterError, match="TLS connection cannot be trusted"):
        KubeconfigCluster.open(tmp_path / "wrong")
