"""What no Kubernetes API has: a cluster's clock, its components and its nodes' power, under ``/autograder/v1/``.

The socket asks here before it asks the API server, and only for the administrator.

    GET  cluster                      -> {"now", "running", "stopped", "pid"}
    GET  saved                        -> the journal of the cluster
    POST advance  {"seconds": 30}     -> as `cluster`, once all that fell due has happened
    POST settle                       -> as `cluster`
    POST stop, start  {"target": "kube-scheduler"}, and power_off, power_on {"target": "worker-1"}  -> as `cluster`
    POST stop, start  {"target": "etcd"}   -> as `cluster`; where a real etcd holds the cluster, its process
    POST node {"target": "worker-1", "command": "ps aux"}  -> {"stdout", "stderr", "code"} of a shell on that node
    POST writes {"prefix": "/registry/"}, decision {"namespace", "target"}, trace {"manifest"}  -> see ``inspection``
    POST shutdown                     -> as `cluster`; then the server ends
    POST certificate {"user": "jane", "groups": ["dev"]}  -> {"certificate", "key"}, by which a client is that user
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import BadRequest, InternalError, NotFound, StatusError
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.cluster import COMPONENTS, ETCD
from autograder.controlplane.etcd.process import EtcdFailedError, EtcdProcess
from autograder.controlplane.fronts import inspection
from autograder.controlplane.fronts.journal import API_SERVER, EVENTS, CannotSaveError, RecordedCluster

PREFIX: Final = "/autograder/v1/"
#: The longest time that one request may let pass, in seconds of virtual time.
MOST_SECONDS: Final = 7 * 24 * 3600
#: The longest name that a certificate can hold.
_NAME_LENGTH: Final = 64


class Control:
    """Answers the requests under ``PREFIX`` for one cluster; ``shut_down`` ends its server.

    ``etcd`` is the process that holds the cluster, if there is one.
    """

    def __init__(
        self, cluster: RecordedCluster, shut_down: Callable[[], None], etcd: EtcdProcess | None = None
    ) -> None:
        self._cluster = cluster
        self._shut_down = shut_down
        self._etcd = etcd

    #: Makes a certificate and key for a user and groups; set where there is TLS to show them to.
    certify: Callable[[str, Sequence[str]], tuple[bytes, bytes]] | None = None

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises for what a client did."""
        try:
            return Response(200, self._answer(request.method, request.path.removeprefix(PREFIX), request.body))
        except StatusError as error:
            return Response(error.code, error.status(), error=error)

    def _answer(self, method: str, name: str, body: bytes) -> dict[str, Any]:
        match method, name:
            case "GET", "saved":
                return self._saved()
            case "GET", "cluster":
                pass
            case "POST", "settle":
                self._cluster.settle()
            case "POST", "advance":
                self._cluster.advance(_seconds(fields_of(body).get("seconds")))
            case "POST", "certificate":
                return self._certificate(fields_of(body))
            case "POST", "node":
                return self._run_on_node(fields_of(body))
            case "POST", "writes":
                return inspection.writes(self._cluster.inside(), text_of(fields_of(body), "prefix"))
            case "POST", "decision":
                fields = fields_of(body)
                return inspection.decision(
                    self._cluster.inside(), text_of(fields, "namespace"), text_of(fields, "target")
                )
            case "POST", "trace":
                return inspection.traced(self._cluster.inside(), fields_of(body).get("manifest"))
            case "POST", "shutdown":
                self._shut_down()
            case "POST", event if event in EVENTS:
                self._act(event, fields_of(body).get("target"))
            case _:
                raise NotFound.path()
        return self._state()

    def _state(self) -> dict[str, Any]:
        running = [*([ETCD] if self._etcd_runs() else []), *self._cluster.running()]
        known = (ETCD, API_SERVER, *COMPONENTS)
        stopped = [name for name in known if name not in running]
        return {
            "now": timestamps.time(self._cluster.clock.now), "running": running, "stopped": stopped,
            "pid": os.getpid(),
        }  # fmt: skip

    def _etcd_runs(self) -> bool:
        return self._etcd.running if self._etcd else self._cluster.has_store()

    def _saved(self) -> dict[str, Any]:
        try:
            return self._cluster.save()
        except CannotSaveError as error:
            raise BadRequest(str(error)) from error

    def _certificate(self, fields: dict[str, Any]) -> dict[str, Any]:
        user, groups = fields.get("user"), fields.get("groups", [])
        if not _is_name(user) or not isinstance(groups, list) or not all(_is_name(group) for group in groups):
            raise BadRequest(f"`user` must be a name and `groups` a list of names, of at most {_NAME_LENGTH} letters")
        if self.certify is None:
            raise BadRequest("this server makes no certificates")
        certificate, key = self.certify(str(user), groups)
        return {"certificate": certificate.decode(), "key": key.decode()}

    def _run_on_node(self, fields: dict[str, Any]) -> dict[str, Any]:
        node, command = fields.get("target"), fields.get("command")
        if not isinstance(node, str) or not isinstance(command, str):
            raise BadRequest("`target` must name a node, and `command` must be a command line")
        try:
            return self._cluster.run_on_node(node, command)._asdict()
        except ValueError as error:
            raise BadRequest(str(error)) from error

    def _act(self, event: str, target: object) -> None:
        if not isinstance(target, str):
            raise BadRequest("`target` must name a component or a node")
        try:
            if self._etcd and target == ETCD and event in ("stop", "start"):
                getattr(self._etcd, event)()
            else:
                self._cluster.act(event, target)
        except (ValueError, KeyError) as error:
            raise BadRequest(str(error.args[0])) from error
        except EtcdFailedError as error:
            raise InternalError.because(str(error)) from error
        self._cluster.settle()


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _NAME_LENGTH


def fields_of(body: bytes) -> dict[str, Any]:
    """What is asked for, as the body of a request says it.  Raises ``BadRequest``."""
    try:
        fields = json.loads(body or b"{}")
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise BadRequest("the body must be a JSON object")
    return fields


def text_of(fields: dict[str, Any], name: str) -> str:
    """A field that must be a text.  Raises ``BadRequest``."""
    text = fields.get(name)
    if not isinstance(text, str):
        raise BadRequest(f"`{name}` must be a text")
    return text


def _seconds(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= MOST_SECONDS:
        raise BadRequest(f"`seconds` must be a number from 0 to {MOST_SECONDS}")
    return given
