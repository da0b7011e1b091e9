"""A room in a cluster that somebody else runs: the namespaces in which one student works with kubectl.

Each namespace that the student names, ``default`` among them, stands for one of our own, ``autograder-NAME-ROOM``,
where ``ROOM`` is random.  They are labelled, deleted by ``close``, and by the next run if this process was killed.  The
names of the cluster's own namespaces (``kube-system`` and its like) mean what they say.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from autograder.clusters import leftovers
from autograder.clusters.accounts import wait_for_account
from autograder.clusters.connection import Connection
from autograder.clusters.interface import ClusterError, Object
from autograder.clusters.kubeconfig import DEFAULT, NAMESPACE_SECONDS, SYSTEM
from autograder.clusters.translation import Translation
from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import NAMESPACES

#: Seconds that a room is used at most, a long day: then it is a leftover, whoever has it.
LASTS: Final = 14 * 3600
#: Seconds to wait for the ServiceAccount of a namespace that a student makes.
PATIENCE: Final = 5.0
_LOOK_AGAIN: Final = 0.1
_SELECTED: Final = re.compile(r"((?:\A|,)[\w.]*namespace(?:==?|!=))([^,]+)")


class RoomNames(Translation):
    """The names in a room: every namespace has another one, whether it is there or not."""

    def __init__(self, room: str) -> None:
        super().__init__()
        self._room = room
        self._any = re.compile(rf"{leftovers.PREFIX}([^\s\"'/\\]*?)-{room}")
        self._hosts: re.Pattern[str] | None = None

    def ours(self, name: str) -> str:
        """The namespace that stands for ``name``."""
        return name if not name or name in SYSTEM else f"{leftovers.PREFIX}{name}-{self._room}"

    def is_ours(self, real: str) -> bool:
        """Whether a namespace belongs to this room."""
        return real.startswith(leftovers.PREFIX) and real.endswith(f"-{self._room}")

    def add(self, name: str, ours: str) -> None:
        """From now on the DNS names of Services in ``name`` are known."""
        super().add(name, ours)
        names = "|".join(re.escape(known) for known in sorted(self.names(), key=len, reverse=True))
        #: web.dev.svc..., and the whole host of a URL in a command: wget http://web.dev | grep title
        self._hosts = re.compile(rf"(?<=\.)({names})(?=\.svc\b)|(?<=//)([-\w]+\.)({names})(?=[:/?#\s\"';|)]|$)")

    def space(self, name: str) -> str:
        return self.ours(name)

    def fields_in(self, fields: str, plural: str = "", namespace: str = "") -> str:
        return _SELECTED.sub(lambda match: match[1] + self.ours(match[2]), fields)

    def text_in(self, text: str) -> str:
        def renamed(match: re.Match[str]) -> str:
            return self.ours(match[1]) if match[1] else match[2] + self.ours(match[3])

        return self._hosts.sub(renamed, text) if self._hosts else text

    def text_out(self, text: str) -> str:
        return self._any.sub(r"\1", text)

    def _named(self, value: object) -> object:
        return self.ours(value) if isinstance(value, str) else value


class Room:
    """One room, from its first namespace to ``close``.  Methods raise ``ClusterError`` and ``StatusError``."""

    def __init__(self, connection: Connection) -> None:
        """Delete what earlier runs have left, and make the namespace ``default``."""
        self._connection = connection
        self._id = secrets.token_hex(4)
        self.names = RoomNames(self._id)
        self._made: dict[str, None] = {}
        leftovers.delete(connection)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": DEFAULT}}
        connection.send("POST", NAMESPACES, body=self.marked(namespace))
        if not self.made(DEFAULT, NAMESPACE_SECONDS):
            self.close()
            raise ClusterError(f"a new namespace got no ServiceAccount within {NAMESPACE_SECONDS} seconds")

    @property
    def default(self) -> str:
        """The real name of the student's ``default``."""
        return self.names.ours(DEFAULT)

    def marked(self, namespace: Object) -> Object:
        """A Namespace of the student's as the cluster gets it."""
        meta = namespace.get("metadata")
        name = meta.get("name") if isinstance(meta, dict) else None
        if not isinstance(meta, dict) or not isinstance(name, str) or not name:
            raise NotFound.on(NAMESPACES.plural, NAMESPACES.group, "")
        return leftovers.marked({**namespace, "metadata": {**meta, "name": self.names.ours(name)}}, self._id, LASTS)

    def made(self, name: str, patience: float = PATIENCE) -> bool:
        """A namespace is there: wait until Pods may be created in it; whether it came to that.

        Nobody makes ServiceAccounts while the controller manager is stopped.
        """
        ours = self.names.ours(name)
        self._made[ours] = None
        self.names.add(name, ours)
        return wait_for_account(self._connection, ours, patience, _LOOK_AGAIN)

    def close(self) -> None:
        """Delete the namespaces; does not wait until they are gone."""
        names = dict.fromkeys([*leftovers.of_run(self._connection, self._id), *self._made])
        leftovers.delete_namespaces(self._connection, names)
        self._made.clear()
