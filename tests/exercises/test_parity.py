"""One exercise, one verdict, on every kind of cluster; and what is said when it is not so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import serving

from autograder.checks import Outcome, Result, Role, Status, Verdict
from autograder.cli import main
from autograder.clusters import Cluster, open_cluster
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.exercises import Runner, load
from autograder.exercises.exercise import Answer, Exercise
from autograder.exercises.parity import Acceptance, BadAcceptance, Difference, answers, compare, read_acceptances, split

DIFFERENCE = Difference("pods/web", "mutants/a.yaml", "image", "passed", "failed")


class Fixed:
    """A runner that says the same of every answer."""

    def __init__(self, status: Status = Status.GRADED, **outcomes: Outcome) -> None:
        self.status, self.outcomes = status, outcomes

    def judge(self, exercise: Exercise, answer: Answer) -> Verdict:
        results = [
            Result(name, Role.CRITERION, outcome, float(outcome is Outcome.PASSED), 1, "as it is")
            for name, outcome in self.outcomes.items()
        ]
        return Verdict(exercise.id, self.status, tuple(results), len(results))


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return load("pods/first-pod")


def differences(exercise: Exercise, here: Fixed, there: Fixed) -> set[tuple[str, str, str]]:
    found = compare(exercise, here, there)  # type: ignore[arg-type]
    assert found.answers == len(list(answers(exercise)))
    return {(one.criterion, one.here, one.there) for one in found.differences}


def test_equal_verdicts_do_not_differ(exercise: Exercise) -> None:
    same = Fixed(image=Outcome.PASSED, label=Outcome.FAILED)
    assert differences(exercise, same, same) == set()


def test_a_criterion_that_differs_is_told(exercise: Exercise) -> None:
    found = differences(exercise, Fixed(image=Outcome.PASSED), Fixed(image=Outcome.FAILED))
    assert found == {("image", "passed, 1 of 1", "failed, 0 of 1")}


def test_what_is_not_run_there_is_no_difference(exercise: Exercise) -> None:
    assert differences(exercise, Fixed(image=Outcome.PASSED), Fixed(image=Outcome.NOT_RUN_THERE)) == set()
    assert differences(exercise, Fixed(image=Outcome.PASSED), Fixed(Status.NOT_RUN_THERE)) == set()


def test_what_could_not_be_judged_is_told_as_that(exercise: Exercise) -> None:
    lost = Fixed(Status.COULD_NOT_BE_JUDGED, image=Outcome.BLOCKED)
    assert differences(exercise, Fixed(image=Outcome.PASSED), lost) == {("status", "graded", "could not be judged")}


def test_right_answers_come_first(exercise: Exercise) -> None:
    names = [name.partition("/")[0] for name, _ in answers(exercise)]
    assert names == sorted(names, key=["solution", "accepted", "mutants"].index)


@pytest.mark.parametrize(
    ("acceptance", "covers"),
    [
        (Acceptance("pods/web", "why"), True),
        (Acceptance("pods/web", "why", "mutants/a.yaml", "image"), True),
        (Acceptance("pods/web", "why", criterion="label"), False),
        (Acceptance("pods/web", "why", answer="solution"), False),
        (Acceptance("pods/db", "why"), False),
    ],
)
def test_an_accepted_difference_is_the_one_that_is_meant(acceptance: Acceptance, covers: bool) -> None:
    left, accepted = split([DIFFERENCE], [acceptance])
    assert (len(left), len(accepted)) == ((0, 1) if covers else (1, 0))


def test_accepted_differences_are_read_with_their_reasons(tmp_path: Path) -> None:
    path = tmp_path / "parity.yaml"
    assert read_acceptances(path) == []
    path.write_text("- {exercise: pods/web, criterion: image, reason: it is so}\n")
    assert read_acceptances(path) == [Acceptance("pods/web", "it is so", criterion="image")]


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "exercise: x",
        "- x",
        "- {exercise: x}",
        "- {exercise: x, reason: ' '}",
        "- {exercise: x, reason: y, z: w}",
    ],
)
def test_a_difference_without_a_reason_is_not_accepted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "parity.yaml"
    path.write_text(text)
    with pytest.raises(BadAcceptance, match=r"parity\.yaml"):
        read_acceptances(path)


def test_the_command_compares_with_another_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parity", "pods/first-pod", "--cluster", "embedded"]) == 0
    assert "0 differ" in capsys.readouterr().out
    assert main(["parity", "pods/first-pod", "--cluster", "kubeconfig:nowhere.yaml"]) == 2
    assert main(["parity", "pods/no-such-exercise", "--cluster", "embedded"]) == 2


# ---------------------------------------------------------------- a cluster that somebody else runs


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with serving(tmp_path_factory.mktemp("served")) as path:
        cluster = KubeconfigCluster.open(path, pace=QUICK)
        yield cluster
        cluster.close()


@pytest.mark.parametrize("name", ["resourcequotas/dev-quota"])
def test_verdicts_are_the_same_on_a_cluster_behind_tls(there: Cluster, name: str) -> None:
    found = compare(load(name), Runner(open_cluster("embedded")), Runner(there))
    assert found.differences == []
    assert found.compared > 2 * found.answers
    assert found.not_run == 0


def test_a_trial_is_made_from_the_answer_once_more_where_nothing_can_be_forked(there: Cluster) -> None:
    exercise = load("replicasets/three-replicas")
    verdict = Runner(there).judge(exercise, exercise.answer(exercise.solution))
    assert verdict.is_full, [result.message for result in verdict.criteria]
