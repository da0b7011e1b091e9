"""The magics: what they print, and that nothing a student writes raises."""

from __future__ import annotations

import re
from typing import Any

import pytest

from autograder.exercises import load
from autograder.notebook.home import Home
from autograder.notebook.magics import CourseMagics

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  containers:
    - name: app
      image: nginx:1.27
"""
Captured = pytest.CaptureFixture[str]


def test_a_manifest_is_kept_and_not_applied(magics: CourseMagics, home: Home, capsys: Captured) -> None:
    magics.manifest("pod.yaml", POD.format(name="web"))
    assert capsys.readouterr().out == "pod.yaml is kept: Pod web\n"
    assert (home.work / "pod.yaml").read_text() == POD.format(name="web")
    assert not home.kubeconfig.exists()


def test_problems_of_a_manifest_are_said_with_their_places(magics: CourseMagics, capsys: Captured) -> None:
    magics.manifest("pod.yaml", POD.format(name="web").replace("containers", "container"))
    assert "pod.yaml:6:3: spec.container: unknown field" in capsys.readouterr().out


def test_a_manifest_of_comments_is_empty_so_far(magics: CourseMagics, capsys: Captured) -> None:
    magics.manifest("pod.yaml", "# your manifest here")
    assert capsys.readouterr().out == "pod.yaml is empty so far\n"


@pytest.mark.parametrize("line", ["", "a.yaml b.yaml", "a.yaml --force", "../a.yaml", "/etc/passwd", "a.py"])
def test_a_name_that_cannot_be_is_said(magics: CourseMagics, home: Home, capsys: Captured, line: str) -> None:
    magics.manifest(line, "a: 1")
    assert capsys.readouterr().err
    assert not home.work.exists()


@pytest.mark.parametrize("text", ["a: [", "\t- x", "a: 1\na: 2", "&a [*a, *a]", "- 1", "\0", "!!python/object:x {}"])
def test_whatever_is_written_a_manifest_does_not_raise(magics: CourseMagics, capsys: Captured, text: str) -> None:
    magics.manifest("pod.yaml", text)
    assert capsys.readouterr().out


@pytest.mark.parametrize(("magic", "name"), [("commands", "scale.txt"), ("prediction", "event.yaml")])
def test_commands_and_predictions_are_kept(
    magics: CourseMagics, home: Home, capsys: Captured, magic: str, name: str
) -> None:
    getattr(magics, magic)(name, "kubectl get pods")
    assert (home.work / name).read_text() == "kubectl get pods\n"
    getattr(magics, magic)(name, "# nothing")
    getattr(magics, magic)("x.py", "print()")
    out, err = capsys.readouterr()
    assert out == f"{name} is kept\n{name} is empty so far\n"
    assert "'x.py' does not end in" in err


def test_a_manifest_can_be_applied(shared_magics: CourseMagics, capsys: Captured) -> None:
    shared_magics.manifest("applied.yaml --apply", POD.format(name="applied"))
    assert capsys.readouterr() == ("pod/applied created\n", "")
    shared_magics.kubectl("apply -f applied.yaml")
    assert capsys.readouterr().out == "pod/applied unchanged\n"


def test_a_refusal_comes_with_the_place(shared_magics: CourseMagics, capsys: Captured) -> None:
    shared_magics.manifest("refused.yaml --apply", POD.format(name="refused").replace("containers", "container"))
    out, err = capsys.readouterr()
    assert 'unknown field "spec.container"' in err
    assert "refused.yaml:6:3" in out


def test_the_text_of_a_cell_is_what_kubectl_reads(shared_magics: CourseMagics, capsys: Captured) -> None:
    shared_magics.kubectl("apply -f -", POD.format(name="piped"))
    assert capsys.readouterr().out == "pod/piped created\n"


def test_an_error_of_kubectl_is_printed(shared_magics: CourseMagics, capsys: Captured) -> None:
    shared_magics.kubectl("get pod nobody")
    assert capsys.readouterr() == ("", 'Error from server (NotFound): pods "nobody" not found\n')


def test_time_passes_only_when_asked_to(shared_magics: CourseMagics, capsys: Captured) -> None:
    shared_magics.cluster("new")
    shared_magics.kubectl("run aging --image=nginx:1.27")
    shared_magics.cluster("advance 30")
    capsys.readouterr()
    for _ in range(2):
        shared_magics.kubectl("get pod aging --no-headers")
        assert capsys.readouterr().out.split() == ["aging", "1/1", "Running", "0", "30s"]


def test_the_same_commands_give_the_same_bytes(shared_magics: CourseMagics, capsys: Captured) -> None:
    def story() -> str:
        capsys.readouterr()
        shared_magics.cluster("new")
        shared_magics.kubectl("create deployment web --image=nginx:1.27 --replicas=3")
        shared_magics.cluster("advance 60")
        shared_magics.kubectl("get pods -o wide")
        shared_magics.kubectl("describe pods")
        return capsys.readouterr().out

    assert story() == story()


def test_a_cluster_is_saved_and_loaded_by_name(shared_magics: CourseMagics, capsys: Captured) -> None:
    shared_magics.kubectl("create namespace kept")
    shared_magics.cluster("save here.cluster")
    shared_magics.kubectl("delete namespace kept")
    shared_magics.cluster("load here.cluster")
    capsys.readouterr()
    shared_magics.kubectl("get namespace kept -o name")
    assert capsys.readouterr().out == "namespace/kept\n"


@pytest.mark.parametrize(
    "line",
    ["advance x", "advance -5", "stop nothing", "power-off nowhere", "save ../x.cluster", "save x.yaml",
     "load x.cluster"],
)  # fmt: skip
def test_what_a_cluster_cannot_do_is_said(shared_magics: CourseMagics, capsys: Captured, line: str) -> None:
    shared_magics.kubectl("get namespaces")
    capsys.readouterr()
    shared_magics.cluster(line)
    out, err = capsys.readouterr()
    assert (out, bool(err)) == ("", True)


@pytest.mark.parametrize("line", ["", "dance", "status now", "stop"])
def test_a_line_that_is_no_command_shows_which_there_are(magics: CourseMagics, capsys: Captured, line: str) -> None:
    magics.cluster(line)
    assert "%cluster advance SECONDS" in "".join(capsys.readouterr())


@pytest.mark.parametrize("spec", ["now", "embedded:3", "local:3", "kubeconfig:", "kubeconfig:nowhere.yaml"])
def test_a_kind_that_there_is_not_costs_nobody_the_cluster(
    shared_magics: CourseMagics, capsys: Captured, spec: str
) -> None:
    shared_magics.kubectl("get namespaces")
    before = shared_magics.own_cluster.state()
    capsys.readouterr()
    shared_magics.cluster(f"new {spec}")
    assert re.search(r"no cluster is known as|has to be named|no file .*nowhere\.yaml", capsys.readouterr().err)
    assert shared_magics.own_cluster.state()["pid"] == before["pid"]


def test_status_says_how_a_terminal_gets_there(
    shared_magics: CourseMagics, shared_home: Home, capsys: Captured
) -> None:
    shared_magics.kubectl("get namespaces")
    shared_magics.cluster("status")
    out = capsys.readouterr().out
    assert "cluster  embedded\n" in out
    assert f"KUBECONFIG={shared_home.kubeconfig}" in out


class Shown:
    """What was published to the notebook."""

    def __init__(self, magics: CourseMagics, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data: list[dict[str, str]] = []
        monkeypatch.setattr(magics._display, "publish", lambda data, **_: self.data.append(data))


def judged(magics: CourseMagics, monkeypatch: pytest.MonkeyPatch, text: str | None) -> tuple[Any, dict[str, str]]:
    """The value of a check, and what it shows."""
    shown = Shown(magics, monkeypatch)
    if text is not None:
        magics.manifest("pending-pod.yaml", text)
    return magics.check("pods/pending-pod"), shown.data[0]


def test_without_an_answer_a_check_says_not_yet(magics: CourseMagics, monkeypatch: pytest.MonkeyPatch) -> None:
    earned, shown = judged(magics, monkeypatch, None)
    assert repr(earned) == "0.0"
    assert "not yet. There is no answer." in shown["text/plain"]
    assert "not yet" in shown["text/html"]


def test_the_starter_is_no_answer_yet(magics: CourseMagics, monkeypatch: pytest.MonkeyPatch) -> None:
    earned, shown = judged(magics, monkeypatch, load("pods/pending-pod").starter)
    assert repr(earned) == "0.0"
    assert "not yet. The answer is still as you found it." in shown["text/plain"]


def test_a_right_answer_earns_all(magics: CourseMagics, monkeypatch: pytest.MonkeyPatch) -> None:
    earned, shown = judged(magics, monkeypatch, load("pods/pending-pod").solution)
    assert repr(earned) == "5.0"
    assert shown["text/plain"].startswith("A Pod that stays Pending: done.\n")
    assert "<table>" in shown["text/html"]


def test_half_an_answer_earns_a_part(magics: CourseMagics, monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = load("pods/pending-pod")
    earned, shown = judged(magics, monkeypatch, exercise.solution.replace("memory: 512Mi", "memory: 600Mi"))
    assert repr(earned) == "4.0"
    assert "not yet." in shown["text/plain"]
    assert "pending-pod.yaml:" in shown["text/html"]


@pytest.mark.parametrize("text", ["a: [", "\0", "- 1", "kind: Pod\n<script>alert(1)</script>: {"])
def test_a_check_does_not_raise_and_shows_nothing_unescaped(
    magics: CourseMagics, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    earned, shown = judged(magics, monkeypatch, text)
    assert repr(earned) == "0.0"
    assert "<script>" not in shown["text/html"]


def test_an_exercise_that_there_is_not_is_said(magics: CourseMagics, capsys: Captured) -> None:
    assert repr(magics.check("pods/nothing")) == "0.0"
    assert "pods/first-pod" in capsys.readouterr().err
