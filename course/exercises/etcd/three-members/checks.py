"""Checks of the flags of one member of three: judged is what etcd makes of them, and not how they are written."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.checks import Review, criterion, gate, guard

MEMBERS = {
    "controller-a": "https://10.0.0.11:2380",
    "controller-b": "https://10.0.0.12:2380",
    "controller-c": "https://10.0.0.13:2380",
}
OWN_CLIENT_URL, OWN_PEER_URL = "https://10.0.0.12:2379", "https://10.0.0.12:2380"
LOCAL_CLIENT_URL = "https://127.0.0.1:2379"


def flags(review: Review) -> dict[str, str]:
    """The flags of the container by name, in one word or in two."""
    container = review.object("Pod", "etcd-b").container("etcd")
    words = [*(container.field("command").value or ()), *(container.field("args").value or ())]
    found: dict[str, str] = {}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("-"):
            name, joined, value = word.lstrip("-").partition("=")
            found[name] = value if joined else following
    return found


def urls(review: Review, *names: str) -> list[set[str]]:
    """The addresses that each of these flags holds."""
    known = flags(review)
    return [{url.strip() for url in known.get(name, "").split(",") if url.strip()} for name in names]


@gate("exists")
def exists(review: Review) -> None:
    """The manifest describes one member of etcd."""
    review.object("Pod", "etcd-b").container("etcd")


@criterion("members", points=3)
def members(review: Review) -> None:
    """A member that does not know the others waits for nobody, and is a cluster of its own."""
    entries = flags(review).get("initial-cluster", "")
    known = dict(entry.strip().partition("=")[::2] for entry in entries.split(","))
    review.require(
        known == MEMBERS, "--initial-cluster does not name the three members",
        wanted="three names, each with its address for members, over https", found=entries or "no such flag",
    )  # fmt: skip


@criterion("peers", points=2)
def peers(review: Review) -> None:
    """Members talk to each other at a port of their own."""
    names = ("listen-peer-urls", "initial-advertise-peer-urls")
    found = urls(review, *names)
    review.require(
        found == [{OWN_PEER_URL}, {OWN_PEER_URL}], "the other members do not reach this one",
        wanted="its own address and the port for members, over https, in both flags", found=shown(names, found),
    )  # fmt: skip


@criterion("clients", points=2)
def clients(review: Review) -> None:
    """Clients, and that means kube-apiserver, come to another port than members, and go where they are told to."""
    names = ("listen-client-urls", "advertise-client-urls")
    found = urls(review, *names)
    review.require(
        found == [{OWN_CLIENT_URL, LOCAL_CLIENT_URL}, {OWN_CLIENT_URL}], "clients do not reach this member",
        wanted="both addresses to listen at, its own to tell, and the port for clients, over https",
        found=shown(names, found),
    )  # fmt: skip


@guard("the rest left alone", costs=2)
def rest(review: Review) -> None:
    """A repair changes what is broken and nothing else."""
    known = flags(review)
    review.object("Pod", "etcd-b").container("etcd").field("image").is_image("registry.k8s.io/etcd:3.6.8-0")
    for name, value in (("name", "controller-b"), ("data-dir", "/var/lib/etcd"), ("initial-cluster-state", "new")):
        review.require(
            known.get(name) == value, f"--{name} was right", wanted=value, found=known.get(name) or "no such flag"
        )


def shown(names: Sequence[str], found: list[set[str]]) -> str:
    """Flags and their addresses in a message."""
    flag_by_flag = zip(names, found, strict=True)
    return " and ".join(f"--{name}={','.join(sorted(one))}" if one else f"no --{name}" for name, one in flag_by_flag)
