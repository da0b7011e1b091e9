"""The token controller: fills Secrets of type ``kubernetes.io/service-account-token``.

Such a Secret names a ServiceAccount in an annotation, and gets a token of it that holds as long as both are there.
Where there is no such account, the Secret goes.  A real controller signs the token itself, with the key of the cluster;
this one has the API server issue it, bound to the Secret and for as long as can be asked for.
Source: pkg/controller/serviceaccount/tokens_controller.go.
"""

from __future__ import annotations

import base64
from typing import Final

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import SECRETS, SERVICEACCOUNTS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, object_key
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.rootcacertpublisher import CERTIFICATE

TYPE: Final = "kubernetes.io/service-account-token"
ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"
ACCOUNT_UID: Final = "kubernetes.io/service-account.uid"
#: The longest that can be asked for: 136 years.
SECONDS: Final = 1 << 32


class TokenController(Controller):
    """Gives Secrets their tokens, and takes away those whose account is gone."""

    name = "serviceaccount-token-controller"
    service_account = "tokens-controller"
    event_source = "serviceaccount-token-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.accounts = self.informers.informer(SERVICEACCOUNTS)
        self.secrets = self.informers.informer(SECRETS)

    def subscriptions(self) -> Subscriptions:
        return {self.accounts: self.on_account, self.secrets: self.on_secret}

    def on_secret(self, delta: Delta) -> None:
        if delta.object.get("type") == TYPE:
            self.queue.add(object_key(delta.object))

    def on_account(self, delta: Delta) -> None:
        if delta.new is not None:
            return
        meta = delta.object["metadata"]
        for secret in self.secrets:
            if secret["metadata"]["namespace"] == meta["namespace"] and _names(secret, meta["name"]):
                self.queue.add(object_key(secret))

    def reconcile(self, key: str) -> None:
        namespace, _, name = key.partition("/")
        secret = self.secrets.get(namespace, name)
        if secret is None:
            return
        account = self._account_of(secret)
        if account is None:
            self.client.delete_if_there(SECRETS, namespace, name, uid=secret["metadata"]["uid"])
            return
        data = secret.get("data", {})
        wanted = {"ca.crt": _encoded(CERTIFICATE), "namespace": _encoded(namespace)}
        if data.get("token") and data.items() >= wanted.items():
            return
        token = data.get("token") or _encoded(self._token(account, name))
        own = {ACCOUNT_NAME: account["metadata"]["name"], ACCOUNT_UID: account["metadata"]["uid"]}
        metadata = {**secret["metadata"], "annotations": _annotations(secret) | own}
        self.client.update(SECRETS, {**secret, "metadata": metadata, "data": {**data, **wanted, "token": token}})

    def _account_of(self, secret: Object) -> Object | None:
        """The account that a Secret names, if it is still the one that was meant."""
        notes = _annotations(secret)
        try:
            account = self.client.get(SERVICEACCOUNTS, secret["metadata"]["namespace"], notes[ACCOUNT_NAME])
        except NotFound:
            return None
        uid = account["metadata"]["uid"]
        return account if notes.get(ACCOUNT_UID, uid) in ("", uid) else None

    def _token(self, account: Object, secret: str) -> str:
        """A token of an account, bound to a Secret."""
        bound = {"kind": "Secret", "apiVersion": "v1", "name": secret}
        wanted = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {},
            "spec": {"audiences": [], "expirationSeconds": SECONDS, "boundObjectRef": bound},
        }
        meta = account["metadata"]
        answer = self.client.create(SERVICEACCOUNTS, meta["namespace"], wanted, "token", meta["name"])
        token: str = answer["status"]["token"]
        return token


def _annotations(secret: Object) -> dict[str, str]:
    notes: dict[str, str] = secret["metadata"].get("annotations", {})
    return notes


def _names(secret: Object, account: str) -> bool:
    """Whether a Secret is to hold a token of an account."""
    return secret.get("type") == TYPE and _annotations(secret).get(ACCOUNT_NAME) == account


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
