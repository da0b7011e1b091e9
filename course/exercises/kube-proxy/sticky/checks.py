"""Checks of a Service that remembers its clients: one of them always gets to the same Pod, and many to all of them."""

from __future__ import annotations

from autograder.checks import Review, Subject, Trial, criterion, gate

#: How often one client asks, and how many clients there are at a time.
TIMES = 12
#: Who answers is chance: twelve clients miss one of three Pods in two of a hundred cases, 48 in one of 10^8.
ROUNDS = 4


def service(review: Review) -> Subject:
    """The Service that the task asks for."""
    return review.object("Service", review.values["name"])


def answers(trial: Trial, count: int, times: int, group: int = 0) -> list[set[str]]:
    """For each of so many clients, who answered it; each ``group`` of clients has names of its own."""
    trial.has_ready_pods(trial.object("Deployment", trial.values["app"]), 3)
    asking = f"for i in $(seq {times}); do wget -q -O- -T 2 http://{trial.values['name']} | grep Hostname; done"
    names = [f"client-{group}-{number}" for number in range(count)]
    for name in names:
        container = {"name": "main", "image": "busybox:1.36", "command": ["sh", "-c", asking + "; true"]}
        spec = {"restartPolicy": "Never", "containers": [container]}
        trial.cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})

    def done() -> bool:
        return all(trial.cluster.get("Pod", name)["status"].get("phase") == "Succeeded" for name in names)

    trial.eventually("the clients have asked", done, stable=0)
    return [{line for line in trial.cluster.logs(name).splitlines() if "Hostname" in line} for name in names]


@gate("exists")
def exists(review: Review) -> None:
    """Clients know a Service by its name."""
    service(review)


@criterion("always the same", points=2)
def always_the_same(review: Review) -> None:
    """A cart is in one Pod; without anything said, each connection is a new throw of the dice."""
    (seen,) = answers(review.trial(), 1, TIMES)
    review.require(
        bool(seen), f"one client asked {TIMES} times for http://{review.values['name']}, and nobody answered",
        wanted="an answer of a Pod", found="no answer", about=service(review).field("spec"),
    )  # fmt: skip
    review.require(
        len(seen) == 1, f"one client asked {TIMES} times, and was answered by {len(seen)} different Pods",
        wanted="1 Pod for one client", found=f"{len(seen)} Pods", about=service(review).field("spec"),
    )  # fmt: skip


@criterion("all in use", points=2)
def all_in_use(review: Review) -> None:
    """Affinity is for each client; different clients are spread over all Pods, or they would be of no use."""
    trial, seen, asked = review.trial(), set[str](), 0
    for group in range(ROUNDS):
        if len(seen) < 3:
            seen |= set().union(*answers(trial, TIMES, 1, group))
            asked += TIMES
    review.require(
        len(seen) == 3, f"{asked} clients asked, and were answered by {len(seen)} different Pods",
        wanted="all 3 Pods", found=f"{len(seen)} Pods", about=service(review).field("spec.selector"),
    )  # fmt: skip


@criterion("how long", points=1)
def how_long(review: Review) -> None:
    """The rules forget a client after a while; unless you say how long that is, it is three hours."""
    seconds = service(review).field("spec.sessionAffinityConfig.clientIP.timeoutSeconds")
    seconds.equals(review.values["seconds"])
