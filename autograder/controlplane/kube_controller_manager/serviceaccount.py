"""The ServiceAccount controller: every namespace has an account ``default``.

Source: pkg/controller/serviceaccount/serviceaccounts_controller.go.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import AlreadyExists, NotFound
from autograder.controlplane.apimachinery.scheme import NAMESPACES, SERVICEACCOUNTS
from autograder.controlplane.client.informer import Delta
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions

NAME: Final = "default"


class ServiceAccountController(Controller):
    """Creates the account where it is missing."""

    name = "serviceaccount-controller"
    service_account = "service-account-controller"
    event_source = "serviceaccount-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.namespaces = self.informers.informer(NAMESPACES)
        self.accounts = self.informers.informer(SERVICEACCOUNTS)

    def subscriptions(self) -> Subscriptions:
        return {self.namespaces: self.on_namespace, self.accounts: self.on_account}

    def on_namespace(self, delta: Delta) -> None:
        if delta.new is not None:
            self.queue.add(delta.new["metadata"]["name"])

    def on_account(self, delta: Delta) -> None:
        if delta.new is None:
            self.queue.add(delta.object["metadata"]["namespace"])

    def reconcile(self, key: str) -> None:
        namespace = self.namespaces.get("", key)
        if namespace is None or namespace.get("status", {}).get("phase") != "Active":
            return
        if self.accounts.get(key, NAME) is not None:
            return
        wanted = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": key}}
        try:
            self.client.create(SERVICEACCOUNTS, key, wanted)
        except (AlreadyExists, NotFound):
            # Somebody was faster, or the namespace is gone: either way there is nothing left to do.
            return
