"""The names by which service accounts are users (apiserver/pkg/authentication/serviceaccount)."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.kube_apiserver.validation import names

_PREFIX: Final = "system:serviceaccount:"
_ALL: Final = "system:serviceaccounts"


def username(namespace: str, name: str) -> str:
    """The user that a service account is."""
    return f"{_PREFIX}{namespace}:{name}"


def groups_of(namespace: str) -> tuple[str, str]:
    """The groups that every service account of a namespace is in."""
    return _ALL, f"{_ALL}:{namespace}"


def split_username(user: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that a user is; None for any other user."""
    if not user.startswith(_PREFIX):
        return None
    namespace, _, name = user.removeprefix(_PREFIX).partition(":")
    if list(names.dns_label(namespace)) or list(names.dns_subdomain(name)):
        return None
    return namespace, name
