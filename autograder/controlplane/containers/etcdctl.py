"""``etcdctl`` in a container of etcd's image: a client of the cluster's store, as far as lessons need it.

It talks to the etcd of its own cluster only, and only with the certificates that kubeadm's etcd asks for; it prints
what etcdctl v3 prints.  Values are JSON, as of an API server with ``--storage-media-type=application/json``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Call, Outcome, Sleep
from autograder.controlplane.etcd import Compacted

if TYPE_CHECKING:
    from autograder.controlplane.etcd import KeyValue, Store

VERSION: Final = "3.6.8"
_PORT: Final = ":2379"
_PATIENCE: Final = 5 * SECOND
_CLUSTER: Final = 10316109323310759371
_MEMBER: Final = 15168875803774599630
_TERM: Final = 2
#: Flags with a value, and flags without; by their long names.
_VALUED: Final = frozenset("endpoints cacert cert key command-timeout dial-timeout limit rev write-out".split())
_PLAIN: Final = frozenset("prefix keys-only count-only print-value-only".split())
_CERTIFICATES: Final = ("cacert", "cert", "key")
_TIMED_OUT: Final = "context deadline exceeded"


class _BadUsage(Exception):
    """The command line is wrong; the message is etcdctl's."""


class _Asked(NamedTuple):
    """A command line: its words, and its flags by name (those without a value are ``true``)."""

    words: tuple[str, ...]
    flags: dict[str, str]

    @property
    def endpoint(self) -> str:
        return self.flags.get("endpoints", f"127.0.0.1{_PORT}")

    @property
    def form(self) -> str:
        return self.flags.get("write-out", "simple")

    def number(self, flag: str) -> int:
        text = self.flags.get(flag, "0")
        try:
            return max(0, integers.parse(text))
        except ValueError as error:
            raise _BadUsage(f'invalid argument "{text}" for "--{flag}" flag: {error}') from error


def etcdctl(call: Call) -> Outcome:
    """Run one command line: ``get``, ``del``, ``endpoint health|status``, ``member list``, ``version``."""
    try:
        asked = _parse(call.args)
        words = asked.words or ("version",)
        command = _COMMANDS.get(" ".join(words[:2])) or _COMMANDS.get(words[0])
        if command is None:
            raise _BadUsage(f'unknown command "{words[0]}" for "etcdctl"')
        for name in _CERTIFICATES:
            path = asked.flags.get(name)
            if path is not None and not call.system.files.is_file(call.path(path)):
                raise _BadUsage(f"open {path}: no such file or directory")
        return command(call, asked)
    except _BadUsage as error:
        call.err(f"Error: {error}\n")
        return 1


def _parse(args: Sequence[str]) -> _Asked:
    words: list[str] = []
    flags: dict[str, str] = {}
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if not arg.startswith("-"):
            words.append(arg)
            continue
        name, equals, value = arg.removeprefix("--").partition("=") if arg.startswith("--") else ("", "", "")
        if arg.startswith("-w"):
            name, equals, value = "write-out", arg[2:], arg[2:].removeprefix("=")
        if name in _PLAIN and not equals:
            flags[name] = "true"
        elif name in _VALUED:
            if not equals and not rest:
                raise _BadUsage(f"flag needs an argument: {arg}")
            flags[name] = value if equals else rest.pop(0)
        elif name:
            raise _BadUsage(f"unknown flag: --{name}")
        else:
            raise _BadUsage(f"unknown shorthand flag: '{arg[1:2]}' in {arg}")
    return _Asked(tuple(words), flags)


def _store(call: Call, asked: _Asked) -> Store | None:
    """The store, if it answers this client: one that shows the certificates which etcd asks for, at its address."""
    store = call.system.store
    host = asked.endpoint.removeprefix("https://").removesuffix(_PORT)
    reached = host in ("127.0.0.1", "localhost", _address(call)) and asked.endpoint.endswith(_PORT)
    trusted = all(name in asked.flags for name in _CERTIFICATES)
    return store if store is not None and reached and trusted and not store.failure else None


def _address(call: Call) -> str:
    return call.system.resolve(call.system.container.hostname)[-1]


def _timed_out(call: Call) -> Outcome:
    call.err(f"Error: {_TIMED_OUT}\n")
    return Sleep(_PATIENCE, 1)


def _get(call: Call, asked: _Asked) -> Outcome:
    revision, limit = asked.number("rev"), asked.number("limit")
    wanted = _wanted(asked)
    store = _store(call, asked)
    if store is None:
        return _timed_out(call)
    if revision > store.revision:
        raise _BadUsage("etcdserver: mvcc: required revision is a future revision")
    try:
        found = [kv for kv in store.range("", revision=revision) if wanted(kv.key)]
    except Compacted as error:
        raise _BadUsage("etcdserver: mvcc: required revision has been compacted") from error
    shown = [] if "count-only" in asked.flags else found[: limit or None]
    _PRINTERS.get(asked.form, _simple)(call, asked, shown, (store.revision, len(found)))
    return 0


def _wanted(asked: _Asked) -> Callable[[str], bool]:
    """Which keys are meant: one, those with a prefix, or those from one up to another."""
    match asked.words:
        case (_, key) if "prefix" in asked.flags:
            return lambda known: known.startswith(key)
        case (_, key):
            return lambda known: known == key
        case (_, key, end):
            return lambda known: key <= known < end
        case (verb, *_):
            raise _BadUsage(f"{verb} command needs one argument as key and an optional argument as range_end")
    return lambda known: False


def _simple(call: Call, asked: _Asked, found: Sequence[KeyValue], _: tuple[int, int]) -> None:
    for kv in found:
        if "print-value-only" not in asked.flags:
            call.out(f"{kv.key}\n")
        call.out(f"{_value(kv, asked)}\n")


def _fields(call: Call, asked: _Asked, found: Sequence[KeyValue], told: tuple[int, int]) -> None:
    revision, count = told
    header = {"ClusterID": _CLUSTER, "MemberID": _MEMBER, "Revision": revision, "RaftTerm": _TERM}
    text = "".join(f'"{name}" : {value}\n' for name, value in header.items())
    for kv in found:
        text += f'"Key" : {json.dumps(kv.key)}\n"CreateRevision" : {kv.create_revision}\n'
        text += f'"ModRevision" : {kv.mod_revision}\n"Version" : {kv.version}\n'
        text += f'"Value" : {json.dumps(_value(kv, asked), ensure_ascii=False)}\n"Lease" : 0\n'
    more = len(found) < count and "count-only" not in asked.flags
    call.out(f'{text}"More" : {str(more).lower()}\n"Count" : {count}\n')


def _json(call: Call, asked: _Asked, found: Sequence[KeyValue], told: tuple[int, int]) -> None:
    header = {"cluster_id": _CLUSTER, "member_id": _MEMBER, "revision": told[0], "raft_term": _TERM}
    kvs = [
        {"key": _base64(kv.key), "create_revision": kv.create_revision, "mod_revision": kv.mod_revision,
         "version": kv.version} | ({} if "keys-only" in asked.flags else {"value": _base64(_value(kv, asked))})
        for kv in found
    ]  # fmt: skip
    answer = {"header": header, **({"kvs": kvs} if kvs else {}), "count": told[1]}
    call.out(json.dumps(answer, separators=(",", ":")) + "\n")


_PRINTERS: Final = {"simple": _simple, "fields": _fields, "json": _json}


def _value(kv: KeyValue, asked: _Asked) -> str:
    """The value as etcd holds it: the revision is the key's, and no part of it."""
    if "keys-only" in asked.flags:
        return ""
    metadata = {name: field for name, field in kv.value["metadata"].items() if name != "resourceVersion"}
    value: dict[str, Any] = {**kv.value, "metadata": metadata}
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _del(call: Call, asked: _Asked) -> Outcome:
    wanted = _wanted(asked)
    store = _store(call, asked)
    if store is None:
        return _timed_out(call)
    keys = [kv.key for kv in store.range("") if wanted(kv.key)]
    for key in keys:
        store.delete(key, expected=None)
    call.out(f"{len(keys)}\n")
    return 0


def _members(call: Call, asked: _Asked) -> Outcome:
    if _store(call, asked) is None:
        return _timed_out(call)
    name, address = call.system.container.hostname, _address(call)
    row = (f"{_MEMBER:x}", "started", name, f"https://{address}:2380", f"https://{address}{_PORT}", "false")
    headings = ("ID", "STATUS", "NAME", "PEER ADDRS", "CLIENT ADDRS", "IS LEARNER")
    call.out(_table(headings, row) if asked.form == "table" else ", ".join(row) + "\n")
    return 0


def _health(call: Call, asked: _Asked) -> Outcome:
    if _store(call, asked) is None:
        call.err(f"{asked.endpoint} is unhealthy: failed to commit proposal: {_TIMED_OUT}\nError: unhealthy cluster\n")
        return Sleep(_PATIENCE, 1)
    call.err(f"{asked.endpoint} is healthy: successfully committed proposal: took = 3.615021ms\n")
    return 0


def _status(call: Call, asked: _Asked) -> Outcome:
    store = _store(call, asked)
    if store is None:
        return _timed_out(call)
    revision = str(store.revision)
    row = (asked.endpoint, f"{_MEMBER:x}", VERSION, "20 MB", "true", "false", str(_TERM), revision, revision, "")
    call.out(", ".join(row) + "\n")
    return 0


def _table(headings: Sequence[str], row: Sequence[str]) -> str:
    widths = [max(len(heading), len(cell)) for heading, cell in zip(headings, row, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+\n"
    titles = "|" + "|".join(f" {text:^{width}} " for text, width in zip(headings, widths, strict=True)) + "|\n"
    cells = "|" + "|".join(f" {text:>{width}} " for text, width in zip(row, widths, strict=True)) + "|\n"
    return rule + titles + rule + cells + rule


def _version(call: Call, _: _Asked) -> Outcome:
    call.out(f"etcdctl version: {VERSION}\nAPI version: {VERSION.rpartition('.')[0]}\n")
    return 0


_COMMANDS: Final[dict[str, Callable[[Call, _Asked], Outcome]]] = {
    "del": _del, "endpoint health": _health, "endpoint status": _status, "get": _get, "member list": _members,
    "version": _version,
}  # fmt: skip
