"""Answers that are lines of kubectl: what can be read, what may be used, and what is said of the rest."""

from __future__ import annotations

import pytest

from autograder.exercises.command_lines import COMMANDS, read


def argv(text: str) -> list[list[str]]:
    lines, problems = read(text, "answer.txt")
    assert problems == []
    return [list(command.arguments) for line in lines for command in line.commands]


def problem(text: str) -> str:
    _, problems = read(text, "answer.txt")
    assert len(problems) == 1
    return str(problems[0])


def test_a_line_is_a_command_and_words_are_split_as_in_a_shell() -> None:
    text = "# first\n\nkubectl run web --image=nginx:1.27\n  kubectl get pod a -o jsonpath='{.metadata.name}'  # so\n"
    assert argv(text) == [
        ["run", "web", "--image=nginx:1.27"],
        ["get", "pod", "a", "-o", "jsonpath={.metadata.name}"],
    ]


@pytest.mark.parametrize(
    "text",
    ["kubectl get pods\r\n", "\ufeffkubectl get pods", "%kubectl get pods", "kubectl \\\n get pods",
     "kubectl 'get' \"pods\""],
)  # fmt: skip
def test_lines_may_be_written_in_many_ways(text: str) -> None:
    assert argv(text) == [["get", "pods"]]


def test_a_comment_ends_with_its_line_as_in_a_shell() -> None:
    assert argv("# not yet: \\\nkubectl get pods\n") == [["get", "pods"]]


def test_one_command_reads_what_another_printed() -> None:
    (line,), _ = read("kubectl get pod web -o yaml | kubectl replace -f - ", "answer.txt")
    assert [command.verb for command in line.commands] == ["get", "replace"]


def test_what_is_printed_goes_into_a_file_of_the_answer() -> None:
    (line,), _ = read("kubectl create ns dev --dry-run=client -o yaml > ns.yaml", "answer.txt")
    assert (line.file, line.commands[0].arguments[-1]) == ("ns.yaml", "yaml")


@pytest.mark.parametrize("end", ["EOF", "'EOF'", '"END"'])
def test_a_text_can_stand_below_its_command(end: str) -> None:
    last = end.strip("'\"")
    lines, problems = read(f"kubectl apply -f - <<{end}\nkind: Pod\n  a: b\n{last}\nkubectl get pods", "answer.txt")
    assert (problems, lines[0].stdin, len(lines), lines[1].line) == ([], "kind: Pod\n  a: b\n", 2, 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("get pods", "begin the line with kubectl"),
        ("rm -rf /", "'rm' cannot be run here, only kubectl can"),
        ("kubectl get pods; rm x", "`;` is of a shell"),
        ("kubectl get pods && kubectl get nodes", "`&&` is of a shell"),
        ("kubectl get pods | grep web", "'grep' cannot be run here"),
        ("kubectl get pods |", "a command is missing"),
        ("kubectl delete pod $(kubectl get pods -o name)", "is of a shell"),
        ("kubectl delete pod `whoami`", "is of a shell"),
        ("kubectl get pods -o yaml > ../x", "no file of the answer"),
        ("kubectl get pods > a b", "the name of one file"),
        ("kubectl get pods 'a", "quotation is not closed"),
        ("kubectl apply -f - <<EOF\na: b", "not ended by a line EOF"),
        ("kubectl apply -f - <<", "the word that ends the text"),
        ("kubectl", "told nothing to do"),
        ("kubectl edit pod web", "opens an editor; use kubectl set, patch or apply"),
        ("kubectl proxy", "cannot be used here"),
        ("kubectl hack", "kubectl hack cannot be used here"),
        ("kubectl run web --image=nginx --label=a=b", "cannot be used here; did you mean --labels?"),
        ("kubectl get pods --kubeconfig=/etc/x", "the flag --kubeconfig of kubectl get"),
        ("kubectl --server http://x get pods", "--server"),
        ("kubectl get pods -s http://x", "the flag -s"),
        ("kubectl get pods --token=x", "--token"),
        ("kubectl get pods --as=root", "--as"),
        ("kubectl get pods -w", "-w"),
        ("kubectl get --raw /", "--raw"),
        ("kubectl logs web -f", "-f"),
        ("kubectl exec -it web -- sh", "-i"),
        ("kubectl apply -k .", "-k"),
        ("kubectl apply -f /etc/passwd", "no file of the answer"),
        ("kubectl apply -f https://example.org/x.yaml", "no file of the answer"),
        ("kubectl apply --filename=a.yaml,../b.yaml", "no file of the answer"),
        ("kubectl apply -Rf../x", "no file of the answer"),
        ("kubectl create configmap x --from-file=k=/etc/passwd", "no file of the answer"),
        ("kubectl create secret generic x --from-file /etc/passwd", "no file of the answer"),
        ("kubectl get pods -o go-template-file=/etc/passwd", "cannot be used here"),
        ("kubectl get pods -ojsonpath-file=x", "cannot be used here"),
        ("kubectl get pods --output custom-columns-file=x", "cannot be used here"),
        ("kubectl get pods -v=9", "-v"),
        ("kubectl -n dev --cache-dir=/x get pods", "--cache-dir"),
        ("kubectl -A get pods", "-A cannot stand there; write it behind the command"),
        ("kubectl --request-timeout get edit pod web", "opens an editor"),
        ("kubectl get pods -n= --kubeconfig=/etc/x", "the flag --kubeconfig"),
        ("kubectl apply edit-last-applied pod/web", "opens an editor"),
        ("kubectl create configmap x --from-file=/etc/passwd,k=a.txt", "no file of the answer"),
        ("kubectl patch pod web --subresource=status -p {}", "--subresource status cannot be used here; scale and"),
    ],
)
def test_what_may_not_be_used_is_named_with_its_line(text: str, said: str) -> None:
    message = problem(f"\n  {text}")
    assert message.startswith("answer.txt:2:3: ")
    assert said in message


@pytest.mark.parametrize(
    "line",
    [
        "get pods -A -o wide", "-n dev get pods", "--namespace=dev get pods -l app=web,tier!=db", "describe pod web",
        "create deployment web --image=nginx --replicas 3 --dry-run=client -o yaml", "create -f -",
        "run web --image nginx --restart=Never --labels=a=b --env=K=V -- sleep --kubeconfig=x",
        "exec web -c app -- sh -c 'wget -q -O - http://x; echo $?'", "scale --replicas=3 rs/web deploy/api",
        "set image deploy/web '*=nginx'", "rollout undo deploy web --to-revision=1", "label pod web a- b=c --overwrite",
        "expose deploy web --port=80 --target-port=8080 --type=NodePort", "taint node worker-1 a=b:NoSchedule",
        "drain worker-1 --ignore-daemonsets --delete-emptydir-data", "wait pod/web --for=condition=Ready",
        'patch deploy web --type=json -p \'[{"op": "remove", "path": "/x"}]\'', "apply -Rf pod.yaml -oyaml",
        "create quota q --hard=pods=10,requests.cpu=4", "logs web --previous", "logs -p web", "explain pod",
        "create configmap c --from-literal=a=b --from-file=w.conf", "delete pod web --now", "autoscale rs web --max=3",
        "get pods --sort-by=.metadata.name --no-headers -L app --show-labels", "events --for pod/web",
        "--request-timeout 5s -ndev get pods", "get pod web --subresource=status", "apply view-last-applied pod/web",
        "patch deploy web --subresource=scale -p x", "create configmap c --from-file=a.txt,k=b.txt", "get pods -n=dev",
    ],
)  # fmt: skip
def test_what_students_need_may_be_used(line: str) -> None:
    assert len(argv(f"kubectl {line}")) == 1


def test_the_number_of_commands_is_bounded() -> None:
    assert "at most 20 are run" in problem("kubectl get pods\n" * (COMMANDS + 1))


def test_the_length_is_bounded() -> None:
    assert "characters" in problem("#" * 100_000)
