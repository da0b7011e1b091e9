"""The control of a cluster that ``autograder cluster serve`` runs: its clock, its components, its nodes' power.

The kubeconfig that the server wrote is all that is needed; no Kubernetes API is involved (see ``fronts.control`` for
embedded clusters, ``controls`` for the others).
"""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64decode
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import yaml

from autograder.clusters.controls import EXTENSION
from autograder.clusters.interface import ClusterError
from autograder.controlplane.fronts.control import PREFIX

#: How a sentence begins that says what a kind of cluster cannot do.
NOT_RUN: Final = "not run there"
#: Wall seconds that an answer may take; a long time may have to pass in the cluster.
ANSWER_SECONDS: Final = 120.0


class NotServed(ClusterError):
    """Nobody serves a cluster there."""


class Refused(ClusterError):
    """The cluster does not do what it was asked; the message is its own."""


class NotRunThere(Refused):
    """A cluster of this kind cannot do it; the message says why."""


class _Address(NamedTuple):
    """Where the control is; without an ``authority`` it speaks plain HTTP, on this machine."""

    host: str
    port: int
    token: str
    authority: str


class ServedCluster:
    """One served cluster, by its kubeconfig.  Every method raises ``NotServed`` and ``Refused``."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig

    def state(self) -> dict[str, Any]:
        """``now``, ``running``, ``stopped`` and ``pid``."""
        return self._ask("GET", "cluster")

    def saved(self) -> dict[str, Any]:
        """Everything that is needed to begin again from here."""
        return self._ask("GET", "saved")

    def post(self, name: str, **fields: object) -> dict[str, Any]:
        """Let the cluster do something; its state afterwards."""
        return self._ask("POST", name, fields)

    def _ask(self, method: str, name: str, fields: dict[str, object] | None = None) -> dict[str, Any]:
        address = self._address()
        connection = _connection(address)
        headers = {"Authorization": f"Bearer {address.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, PREFIX + name, json.dumps(fields) if fields else None, headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotServed("the cluster does not answer") from error
        finally:
            connection.close()
        if not isinstance(body, dict):
            raise NotServed(f"{address.host}:{address.port} is no cluster of this program")
        if answer.status != http.client.OK:
            refusal = NotRunThere if answer.status == http.client.NOT_IMPLEMENTED else Refused
            raise refusal(str(body.get("message", body)))
        return body

    def _address(self) -> _Address:
        try:
            config = yaml.safe_load(self._kubeconfig.read_text(encoding="utf-8"))
            cluster = config["clusters"][0]["cluster"]
            for extension in cluster.get("extensions") or ():
                if extension["name"] == EXTENSION:
                    own = urlsplit(extension["extension"]["server"])
                    return _Address(str(own.hostname), int(own.port or 0), str(extension["extension"]["token"]), "")
            token = config["users"][0]["user"]["token"]
            server = urlsplit(cluster["server"])
            authority = b64decode(cluster["certificate-authority-data"]).decode()
            return _Address(str(server.hostname), int(server.port or 0), token, authority)
        except FileNotFoundError:
            raise NotServed("there is no cluster yet") from None
        except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError, ValueError) as error:
            raise NotServed(f"{self._kubeconfig} cannot be read as the kubeconfig of a served cluster") from error


def _connection(address: _Address) -> http.client.HTTPConnection:
    if not address.authority:
        return http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_SECONDS)
    context = ssl.create_default_context(cadata=address.authority)
    return http.client.HTTPSConnection(address.host, address.port, context=context, timeout=ANSWER_SECONDS)
