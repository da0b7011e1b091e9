"""Checks of what was asked of etcd: judged is what its answers say, whichever way they were printed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence

from autograder.checks import Review, criterion, guard

#: What is in the value of a Pod, and in no key: a field of JSON, or how Kubernetes begins what it writes as protobuf.
VALUES = ('"containers"', "k8s\0", r"k8s\x00")
KEY = re.compile(r'(?:^|"Key" : ")(/registry/[^"\n]+)', re.MULTILINE)


def answers(review: Review) -> list[str]:
    """What etcdctl printed, one text for each command that did not fail."""
    return [readable(one.out) for one in review.commands if is_etcdctl(one.arguments) and not one.code]


def is_etcdctl(arguments: Sequence[str]) -> bool:
    """Whether etcdctl is what ran in the container, and not only a word in what did."""
    program = arguments[arguments.index("--") + 1 :][:1] if "--" in arguments else []
    return any(word.rpartition("/")[2] == "etcdctl" for word in program)


def readable(out: str) -> str:
    """The text, with what ``-w json`` writes in base64 written out."""
    try:
        found = json.loads(out)["kvs"]
        return "".join(f"{decoded(kv['key'])}\n{decoded(kv.get('value', ''))}\n" for kv in found)
    except (ValueError, TypeError, KeyError):
        return out


def has_values(text: str) -> bool:
    """Whether values were printed too, quoted or not."""
    return any(value in part for value in VALUES for part in (text, text.replace("\\", "")))


def decoded(text: str) -> str:
    """What is written in base64."""
    return base64.b64decode(text).decode("utf-8", "replace")


@criterion("keys", points=3)
def keys(review: Review) -> None:
    """Every object is one key, and a prefix finds whatever begins with it, be it more than was meant."""
    namespace = review.values["namespace"]
    pods = {f"/registry/pods/{namespace}/{pod.name}" for pod in review.objects("Pod", namespace)}
    printed = answers(review)
    shown = [set(KEY.findall(text)) for text in printed if not has_values(text)]
    review.require(
        pods in shown, f"no command printed the keys of the Pods of {namespace}, and only these",
        wanted=f"{len(pods)} keys and no values", found=described(printed),
    )  # fmt: skip


@criterion("value", points=3)
def value(review: Review) -> None:
    """Whoever can read etcd reads every password: base64 is a way of writing, and no lock."""
    secret = review.object("Secret", review.values["secret"])
    password = secret.field("data.password").value
    ways = (password, decoded(password))  # as JSON has it, and as protobuf has it
    review.require(
        any(way in text for way in ways for text in answers(review)), f"no command printed what etcd has of {secret}",
        wanted="the value under its key", found=described(answers(review)),
    )  # fmt: skip


@guard("nothing changed", costs=3)
def nothing_changed(review: Review) -> None:
    """Nobody is asked whether a change in etcd is allowed: look, and do not touch."""
    review.unchanged("Secret", review.values["secret"])
    for pod in ("web", "cache"):
        review.unchanged("Pod", pod)


def described(printed: list[str]) -> str:
    """What was printed, in few words."""
    found = list(dict.fromkeys(key for text in printed for key in KEY.findall(text)))
    return ", ".join(found[:6]) or "no key"
