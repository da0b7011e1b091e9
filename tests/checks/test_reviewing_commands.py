"""Looking at how something was done: the commands of an answer, what they printed, and what they left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.checks import Case, CommandRun, Failed, Review, Sources, Where
from autograder.clusters import Cluster, Object

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: nginx}]}\n"
REPLICA_SET: Object = {
    "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}},
}  # fmt: skip


def ran(line: str, out: str = "", code: int = 0) -> CommandRun:
    words = tuple(line.split())
    return CommandRun(words[0], words, code, out, "", Where("answer.txt", 1, 1))


def reviewing(cluster: Cluster, *commands: CommandRun) -> Review:
    return Review(Case(cluster, Sources((), "default"), commands=commands))


@pytest.mark.parametrize("verbs", [("scale",), ("rollout undo",), ("apply", "set image")])
def test_one_of_several_commands_was_used(warm: Cluster, verbs: tuple[str, ...]) -> None:
    commands = [ran("scale deploy web --replicas=3"), ran("rollout undo deploy/web"), ran("set image deploy/web a=b")]
    reviewing(warm, *commands).used(*verbs)


@pytest.mark.parametrize(
    "command",
    [ran("get pods"), ran("rollout status deploy/web"), ran("get scaled"), ran("get pods scale"),
     CommandRun("get", ("get", "pods", "-l= rollout undo "), 0, "", "", Where("a.txt", 1, 1))],
)  # fmt: skip
def test_what_was_not_used_does_not_count(warm: Cluster, command: CommandRun) -> None:
    with pytest.raises(Failed, match="the task is about another command") as failed:
        reviewing(warm, command).used("scale", "rollout undo")
    assert failed.value.found == str(command)


def test_what_failed_does_not_count_and_is_not_called_another_command(warm: Cluster) -> None:
    with pytest.raises(Failed, match="has worked") as failed:
        reviewing(warm, ran("scale deploy web", code=1)).used("scale")
    assert failed.value.found == "kubectl scale deploy web (failed)"


def test_what_was_printed_can_be_looked_at_like_an_object(warm: Cluster) -> None:
    pod = reviewing(warm, ran("get nodes", "NAME\nworker-1\n"), ran("run web", POD)).printed("Pod", "web")
    pod.container("web").field("image").is_image("docker.io/library/nginx:latest")


@pytest.mark.parametrize("command", [ran("get pods", "NAME READY\nweb 1/1\n"), ran("run web", POD, code=1)])
def test_what_was_not_printed_as_an_object_is_missed(warm: Cluster, command: CommandRun) -> None:
    with pytest.raises(Failed, match="no command printed the Pod web"):
        reviewing(warm, command).printed("Pod", "web")


def test_pods_that_served_before_are_known(cluster: Cluster) -> None:
    owner = Review(Case(cluster, Sources((), "default"))).object
    cluster.create(REPLICA_SET)
    cluster.advance(30)
    pods = cluster.list("Pod")
    before = {("Pod", "default", pod["metadata"]["name"]): {"kind": "Pod", **pod} for pod in pods}
    review = Review(replace(Case(cluster, Sources((), "default")), before=before))
    assert len(review.kept(owner("ReplicaSet", "web"))) == 2
    cluster.delete("Pod", pods[0]["metadata"]["name"])
    cluster.advance(60)
    assert len(review.ready_pods(owner("ReplicaSet", "web"))) == 2
    assert [pod.name for pod in review.kept(owner("ReplicaSet", "web"))] == [pods[1]["metadata"]["name"]]
