"""Which commands of kubectl an answer may use, with which flags.

Left out is what needs somebody before the screen (``edit``, ``-it``, ``get -w``), what reaches beyond the exercise's
cluster (``--kubeconfig``, ``--server``, ``--token``, ``--as``, ``proxy``, ``port-forward``, ``cp``), and every file but
those of the answer.

A flag is written ``short/long`` and what follows it: nothing for one without a value, ``=`` for one with a value,
``=?`` for one whose value is only ever joined by ``=``, ``=@`` for files, ``=@k`` for ``key=file``, ``=o`` for a way
to print, ``=s`` for a part of an object that may be changed by itself.  In lists of files a comma begins the next one.

What is allowed hangs on reading a line as kubectl does (its parsers are pflag and cobra): where they disagree on
which word is a flag, which its value and which the command, one thing is checked and another one is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

#: How much a flag must resemble one that is known to be taken for a slip.
_ALIKE: Final = 0.85

_ANY: Final = "h/help n/namespace= request-timeout="
_PRINT: Final = "o/output=o show-managed-fields"
_CHANGE: Final = f"{_PRINT} dry-run=? field-manager= save-config validate=?"
_FILES: Final = "f/filename=@ R/recursive"
_CHOOSE: Final = f"l/selector= A/all-namespaces all field-selector= {_FILES}"
_POD: Final = "image= command env= e/env= labels= l/labels= port= replicas= r/replicas="

#: The flags of each command, beside those that every command has.
FLAGS: Final[dict[str, str]] = {
    "annotate": f"{_CHANGE} {_CHOOSE} overwrite list resource-version= local",
    "api-resources": "o/output=o namespaced=? verbs= api-group= no-headers sort-by= categories=",
    "api-versions": "",
    "apply": f"{_CHANGE} {_FILES} l/selector= force server-side force-conflicts overwrite=? wait timeout= cascade=? "
             "grace-period= prune all",
    "autoscale": f"{_CHANGE} {_FILES} min= max= cpu-percent= cpu= memory= name=",
    "cluster-info": "",
    "cordon": "dry-run=? l/selector=",
    "create": f"{_CHANGE} {_FILES} {_POD} from-literal= from-file=@k from-env-file=@ append-hash type= schedule= "
              "restart= from= tcp= clusterip= node-port= external-name= hard= scopes= verb= resource= resource-name= "
              "clusterrole= role= user= group= serviceaccount= value= description= preemption-policy= global-default "
              "min-available= max-unavailable= selector= class= rule= default-backend= annotation= docker-server= "
              "docker-username= docker-password= docker-email= tls= duration=",
    "delete": f"{_CHOOSE} o/output=o dry-run=? force grace-period= cascade=? ignore-not-found now timeout= wait=?",
    "describe": f"{_CHOOSE} show-events=? chunk-size=",
    "diff": f"{_FILES} l/selector= server-side force-conflicts field-manager= show-managed-fields prune",
    "drain": "dry-run=? l/selector= pod-selector= ignore-daemonsets delete-emptydir-data force grace-period= timeout= "
             "disable-eviction chunk-size= skip-wait-for-delete-timeout=",
    "events": "A/all-namespaces for= types= o/output=o no-headers",
    "exec": "c/container= q/quiet pod-running-timeout=",
    "explain": "recursive api-version= o/output=o",
    "expose": f"{_CHANGE} {_FILES} port= target-port= protocol= name= type= selector= l/labels= cluster-ip= "
              "external-ip= load-balancer-ip= session-affinity= overrides= override-type=",
    "get": f"{_CHOOSE} {_PRINT} L/label-columns= show-labels show-kind sort-by= ignore-not-found no-headers "
           "subresource= chunk-size= server-print=?",
    "label": f"{_CHANGE} {_CHOOSE} overwrite list resource-version= local",
    "logs": "c/container= p/previous all-containers all-pods l/selector= tail= since= since-time= timestamps prefix "
            "limit-bytes= max-log-requests= ignore-errors pod-running-timeout=",
    "patch": f"{_CHANGE} {_FILES} p/patch= patch-file=@ type= subresource=s local",
    "replace": f"{_CHANGE} {_FILES} force cascade=? grace-period= timeout= wait=? subresource=s",
    "rollout": f"{_CHANGE} {_FILES} l/selector= revision= to-revision= timeout= w/watch=?",
    "run": f"{_CHANGE} {_POD} annotations= restart= expose rm attach=? overrides= override-type= image-pull-policy= "
           "privileged q/quiet pod-running-timeout=",
    "scale": f"{_CHANGE} {_CHOOSE} replicas= current-replicas= resource-version= timeout=",
    "set": f"{_CHANGE} {_CHOOSE} local containers= c/containers= limits= requests= env= e/env= from= keys= prefix= "
           "overwrite=? list resolve serviceaccount= resource-version=",
    "taint": f"{_CHANGE} l/selector= all overwrite",
    "top": "A/all-namespaces l/selector= no-headers sort-by= containers",
    "uncordon": "dry-run=? l/selector=",
    "version": "client o/output=o",
    "wait": f"{_CHOOSE} o/output=o for= timeout= local",
}  # fmt: skip

#: What to do instead of commands that are not among them.
INSTEAD: Final[dict[str, str]] = {
    "edit": "it opens an editor; use kubectl set, patch or apply",
    "proxy": "it runs until it is stopped",
    "port-forward": "it runs until it is stopped",
    "attach": "nobody sits before the screen; use kubectl logs",
    "config": "the exercise has its cluster and namespace already",
    "cp": "files are exchanged with nobody here",
    "debug": "nobody sits before the screen; use kubectl describe and logs",
}

#: Commands below one that may be used; in no other place of a line they mean anything.
_HIDDEN: Final = {"edit-last-applied": "it opens an editor; use kubectl set, patch or apply"}
#: Parts of an object that may be changed by themselves.  A status is what the cluster found out: who writes it lies.
_PARTS: Final = ("scale", "resize", "ephemeralcontainers")
#: Flags that kubectl knows before it knows the command, and that have a value.
_BEFORE: Final = ("-n", "--namespace", "--request-timeout")

#: Ways to print that read no file.
_OUTPUT: Final = re.compile(
    r"json|yaml|kyaml|name|wide|(go-template|template|jsonpath|jsonpath-as-json|custom-columns)=.*", re.DOTALL
)
#: What a file of an answer may be called.
PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_FLAG: Final = re.compile(r"(?:(?P<short>\w)/)?(?P<long>[a-z-]+)(?P<value>=[?@oks]*)?")

#: For each command, by each spelling of a flag (``-n``, ``--namespace``), what follows it.
_TABLE: Final[dict[str, dict[str, str]]] = {
    verb: {
        spelling: match["value"] or ""
        for match in map(_FLAG.fullmatch, f"{_ANY} {flags}".split()) if match
        for spelling in (f"--{match['long']}", *([f"-{match['short']}"] if match["short"] else []))
    }
    for verb, flags in FLAGS.items()
}  # fmt: skip


class NotAllowed(ValueError):
    """The answer may not use this command, flag or file; the message says so, and what to do instead."""


def plain_file(name: str) -> str:
    """The name of a file of the answer.  Raises ``NotAllowed`` for paths, addresses and whatever else it may be."""
    if not PLAIN_NAME.fullmatch(name):
        raise NotAllowed(f"{name!a} is no file of the answer: use a plain name, as pod.yaml, or - for what is piped")
    return name


def verb_of(words: list[str]) -> str:
    """The command among the arguments of kubectl.  Raises ``NotAllowed``.

    Of a flag before it kubectl must know already whether the next word is its value: only few may stand there.
    """
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            return _known(word)
        flag, joined, _ = word.partition("=")
        if flag not in _BEFORE and (word.startswith("--") or not word.startswith("-n")):
            raise NotAllowed(f"the flag {flag[:40]} cannot stand there; write it behind the command")
        if word in _BEFORE and not joined:
            next(rest, "")
    raise NotAllowed("kubectl is told nothing to do: write what, as in kubectl get pods")


def check(words: list[str]) -> str:
    """The verb of a command line (without ``kubectl``), if all of it is allowed.  Raises ``NotAllowed``."""
    verb = verb_of(words)
    _arguments_of(verb, words)
    for word in words:
        if word in _HIDDEN:
            raise NotAllowed(f"kubectl {verb} {word} cannot be used here: {_HIDDEN[word]}")
    return verb


def takes_value(verb: str, flag: str) -> bool:
    """Whether the word after this flag belongs to it."""
    return _TABLE[verb].get(flag, "") not in ("", "=?")


def _known(verb: str) -> str:
    if verb in FLAGS:
        return verb
    raise NotAllowed(f"kubectl {verb[:40]} cannot be used here" + (f": {INSTEAD[verb]}" if verb in INSTEAD else ""))


def _arguments_of(verb: str, words: list[str]) -> None:
    """Go through flags as kubectl does, and raise ``NotAllowed`` for the first that may not be used."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            return  # what follows belongs to a program in a container
        if not word.startswith("-") or word == "-":
            continue
        if word.startswith("--"):
            flag, joined, value = word.partition("=")
            takes = _takes(verb, flag)
            if not joined and takes not in ("", "=?"):
                value = next(rest, "")
            _value(flag, takes, value)
        else:
            _shorts(verb, word, rest)


def _shorts(verb: str, word: str, rest: Iterator[str]) -> None:
    """Flags of one letter, which may stand together, with the value of the last: ``-Rf pod.yaml``, ``-oyaml``."""
    for at, letter in enumerate(word[1:], 1):
        flag = f"-{letter}"
        takes, glued = _takes(verb, flag), word[at + 1 :]
        if len(glued) > 1 and glued.startswith("="):
            _value(flag, takes, glued[1:])
            return
        if takes not in ("", "=?"):
            _value(flag, takes, glued or next(rest, ""))  # a lone `=` is the value, and not the next word
            return


def _takes(verb: str, flag: str) -> str:
    if flag not in _TABLE[verb]:
        meant = get_close_matches(flag, _TABLE[verb], 1, _ALIKE)
        instead = f"; did you mean {meant[0]}?" if meant else ""
        raise NotAllowed(f"the flag {flag[:40]} of kubectl {verb} cannot be used here{instead}")
    return _TABLE[verb][flag]


def _value(flag: str, takes: str, value: str) -> None:
    match takes:
        case "=@":
            for name in value.split(","):
                if name != "-":
                    plain_file(name)
        case "=@k":
            for source in value.split(","):
                plain_file(source.rpartition("=")[2])
        case "=s" if value not in _PARTS:
            raise NotAllowed(f"{flag} {value[:40]} cannot be used here; {' and '.join(_PARTS[:2])} can")
        case "=o" if not _OUTPUT.fullmatch(value):
            raise NotAllowed(f"{flag} {value[:40]} cannot be used here; yaml, json, name, wide and jsonpath=... can")
