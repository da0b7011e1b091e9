"""Running kubectl: how a line is read, what is refused, and what kubectl sees."""

from __future__ import annotations

import pytest

from autograder.notebook import kubectl
from autograder.notebook.home import Home


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("get pods", ["get", "pods"]),
        ("kubectl get pods", ["get", "pods"]),
        ("", []),
        ("get pod web -o jsonpath='{.status.phase} {.spec}'", ["get", "pod", "web", "-o", "jsonpath={.status.phase} {.spec}"]),  # noqa: E501
        ("run x --image=nginx -- sh -c 'echo $(hostname) | cat; exit'",
         ["run", "x", "--image=nginx", "--", "sh", "-c", "echo $(hostname) | cat; exit"]),
        ('patch pod x -p \'{"spec": {}}\'', ["patch", "pod", "x", "-p", '{"spec": {}}']),
        ("get pods -l 'app in (a, b)' #x", ["get", "pods", "-l", "app in (a, b)", "#x"]),
        ("get pods -o custom-columns=A:.spec.containers[*].image", ["get", "pods", "-o", "custom-columns=A:.spec.containers[*].image"]),  # noqa: E501
    ],
)  # fmt: skip
def test_a_line_is_read_as_a_shell_reads_it(line: str, words: list[str]) -> None:
    assert kubectl.arguments(line) == words


@pytest.mark.parametrize(
    "line",
    ["get pods | grep web", "get pods > file", "get pods>file", "get a && get b", "get a; get b", "get a &",
     "delete pod $(kubectl get pods -o name)", "delete pod `x`"],
)  # fmt: skip
def test_what_only_a_shell_can_do_is_refused_kindly(line: str) -> None:
    with pytest.raises(kubectl.NotAShell, match="no shell"):
        kubectl.arguments(line)


def test_an_open_quotation_is_named() -> None:
    with pytest.raises(kubectl.NotAShell, match="quotation"):
        kubectl.arguments("get pods -o 'x")


def test_kubectl_sees_nothing_of_the_users_settings(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KUBECONFIG", "HOME", "HTTPS_PROXY", "LANG", "TZ", "KUBE_EDITOR"):
        monkeypatch.setenv(name, "the user's")
    seen = kubectl.environment(home)
    assert "the user's" not in seen.values()
    assert (seen["KUBECONFIG"], seen["TZ"]) == (str(home.kubeconfig), "UTC")


def test_the_released_kubectl_is_run_whatever_the_path(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    ran = kubectl.run(["version", "--client"], home)
    assert (ran.code, ran.err) == (0, "")
    assert "Client Version: v1.37" in ran.out


def test_an_error_is_kubectls_own_and_does_not_raise(home: Home) -> None:
    ran = kubectl.run(["frobnicate"], home)
    assert ran.code == 1
    assert 'unknown command "frobnicate"' in ran.err


def test_a_watch_that_kubectl_gave_up_itself_is_no_complaint() -> None:
    log = (
        'E1122 17:58:48.248223    4192 reflector.go:227] "Failed to watch" err="Get \\"http://127.0.0.1:1/api\\": '
        'context canceled" reflector="k8s.io/client-go" type="*unstructured.Unstructured"\n'
    )
    other = 'E1122 17:58:48.248223    4192 memcache.go:265] "Unhandled Error" err="connection refused"\n'
    assert kubectl.without_own_end(f"{log}{other}") == other


def test_what_does_not_end_is_stopped(home: Home) -> None:
    home.state.mkdir(exist_ok=True)
    home.kubeconfig.write_text("{}")
    ran = kubectl.run(["proxy", "--port=0", "--server=http://127.0.0.1:9"], home, timeout=1)
    assert ran.err.endswith("kubectl was stopped after 1 seconds\n")
