"""A page of bad input: each with its status and a clear message, and nothing else harmed."""

from __future__ import annotations

import time

import pytest

from autograder.checks import Status
from autograder.exercises import Answer, Exercise, Runner

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{','.join(['*' + chr(97 + level)] * 10)}]\n" for level in range(9)
)
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(BOMB, "", id="YAML bomb"),
        pytest.param("!!python/object/apply:os.system ['true']\n", "", id="python tag"),
        pytest.param(OBJECT + "kind: Secret\n", "twice", id="duplicate key"),
        pytest.param(OBJECT + "data: {x: '" + "y" * 2_000_000 + "'}\n", "1,048,576", id="2 MB"),
        pytest.param(OBJECT + "data: {x: 'a\0b'}\n", "NUL", id="NUL"),
        pytest.param(b"kind: \xff\xfe\n", "UTF-8", id="not UTF-8"),
        pytest.param("metadata:\n\tname: x\n", "tab", id="tab"),
        pytest.param("- kind: Pod\n", "list", id="list for a map"),
        pytest.param("just words\n", "", id="text"),
        pytest.param("{" * 5000, "", id="deep"),
        pytest.param("kind: [Pod\n", "", id="unclosed"),
        pytest.param("\ufeff{\n", "", id="half of JSON"),
    ],
)
def test_what_cannot_be_read(runner: Runner, exercise: Exercise, text: str | bytes, said: str) -> None:
    begin = time.process_time()  # which does not pass while the machine does something else
    verdict = runner.judge(exercise, Answer({"answer.yaml": text}))
    assert time.process_time() - begin < 5
    assert (verdict.status, verdict.earned) == (Status.UNREADABLE, 0)
    assert verdict.criteria[0].name == "readable"
    assert said in verdict.criteria[0].message
    assert verdict.criteria[0].message.strip()


PORTS = "ports: [{name: a, port: 1, nodePort: 30080}, {name: b, port: 2, nodePort: 30080}]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OBJECT + "  resourceVersion: '123'\n", "resourceVersion should not be set on objects to be created"),
        (f"apiVersion: v1\nkind: Service\nmetadata: {{name: x}}\nspec: {{type: NodePort, {PORTS}}}\n", "nodePort"),
    ],
)
def test_what_the_server_takes_for_an_error_of_its_own_is_refused(
    runner: Runner, exercise: Exercise, text: str, said: str
) -> None:
    verdict = runner.judge(exercise, Answer({"answer.yaml": text}))
    assert (verdict.status, verdict.earned, verdict.criteria[0].name) == (Status.GRADED, 0, "accepted")
    assert said in verdict.criteria[0].message


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\\b", "C:x", "", ".hidden", "a\nb", "\u202eabc"])
def test_names_are_labels_and_no_paths(runner: Runner, exercise: Exercise, name: str) -> None:
    verdict = runner.judge(exercise, Answer({name: exercise.solution}))
    assert verdict.status is Status.UNREADABLE
    assert "is no name for a file" in verdict.criteria[0].message


def test_too_many_files(runner: Runner, exercise: Exercise) -> None:
    verdict = runner.judge(exercise, Answer({f"{number}.yaml": OBJECT for number in range(21)}))
    assert (verdict.status, verdict.criteria[0].message.partition(",")[0]) == (
        Status.UNREADABLE,
        "the answer has 21 files",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\n".join([OBJECT] * 51), "51 objects"),
        (
            "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: x}\nspec: {replicas: 2147483647}\n",
            "2147483647 Pods",
        ),
        ("apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\nspec: {parallelism: 1000}\n", "1000 Pods"),
        ("apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {parallelism: 900}}}\n", "900 Pods"),
    ],
)
def test_more_than_an_exercise_allows(runner: Runner, exercise: Exercise, text: str, said: str) -> None:
    verdict = runner.judge(exercise, Answer({"answer.yaml": text}))
    assert (verdict.status, verdict.earned) == (Status.COULD_NOT_BE_JUDGED, 0)
    assert said in verdict.criteria[0].message


@pytest.mark.parametrize(
    "text",
    [
        "kind: {}\nmetadata: {name: x}\n",
        "metadata: {name: x}\n",
        "apiVersion: apps/v1\nkind: Pod\nmetadata: {name: x}\n",
        "kind: 3\n", "apiVersion: []\nkind: {}\n", "apiVersion: v1\nkind: Pod\n", OBJECT + "data: 3\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: []\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [x]}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: 3}\n", "x: 1\n",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: ../../x}\n",
        "apiVersion: v9\nkind: ConfigMap\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, annotations: []}\n", "apiVersion: v1\nkind: List\n",
        OBJECT.replace("settings", "x") + "  labels: {a: {b: c}}\n", OBJECT.replace("settings", "'\U0001f600'"),
        "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: x}\n",
    ],
)  # fmt: skip
def test_what_no_server_takes_is_refused_with_a_reason(runner: Runner, exercise: Exercise, text: str) -> None:
    verdict = runner.judge(exercise, Answer({"answer.yaml": text}))
    assert (verdict.status, verdict.earned) == (Status.GRADED, 0)
    assert verdict.criteria[0].name == "accepted"
    assert verdict.criteria[0].message.strip()
    assert verdict.criteria[0].where is not None
