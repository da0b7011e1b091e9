"""``--as``: acting as somebody else, if one may.

Each way to be allowed is a *mode*, tried in turn: those that allow it for certain verbs only (``impersonate:user-info``
together with ``impersonate-on:user-info:list``, new in v1.36), then the plain verb ``impersonate``.  The refusal of the
first mode that fits is what a client sees.  Source: apiserver/pkg/endpoints/filters/impersonation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import unquote

from autograder.controlplane.apimachinery.errors import BadRequest, Forbidden
from autograder.controlplane.apimachinery.wire import ANONYMOUS, User
from autograder.controlplane.kube_apiserver.authorization import Action, Authorizer, refusal
from autograder.controlplane.kube_apiserver.authorization.authorizer import MASTERS
from autograder.controlplane.kube_apiserver.authorization.nodes import NODES_GROUP
from autograder.controlplane.kube_apiserver.authorization.nodes import PREFIX as NODE_PREFIX
from autograder.controlplane.kube_apiserver.service_accounts import groups_of, split_username
from autograder.controlplane.kube_apiserver.validation import names

AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"
#: Where a service account's token says on which node its pod runs.
NODE_NAME: Final = "authentication.kubernetes.io/node-name"

_USER, _GROUP, _UID, _EXTRA = "impersonate-user", "impersonate-group", "impersonate-uid", "impersonate-extra-"
_GROUP_OF_USERS: Final = "authentication.k8s.io"


def wanted_user(headers: Mapping[str, str]) -> User | None:
    """Whom a request wants to be, or None. Values of a header given more than once stand in lines of their own.

    Raises ``BadRequest`` for groups and the like without a user.
    """
    name, uid = headers.get(_USER, ""), headers.get(_UID, "")
    groups = tuple(headers[_GROUP].split("\n")) if _GROUP in headers else ()
    extra = {
        unquote(header.removeprefix(_EXTRA)): tuple(value.split("\n"))
        for header, value in headers.items()
        if header.startswith(_EXTRA)
    }
    wanted = User(name, groups, uid, extra)
    if not name and (uid or groups or extra):
        raise BadRequest(f"requested {_as_go(wanted)} without impersonating a user name")
    return wanted if name else None


def impersonate(authorizer: Authorizer, action: Action, wanted: User) -> User:
    """The user as whom an action goes on. Raises ``Forbidden`` if whoever acts may not be that user."""
    refused: Forbidden | None = None
    for mode, fits in _MODES.items():
        if not fits(wanted, action.user):
            continue
        try:
            return _constrained(authorizer, action, wanted, mode)
        except Forbidden as error:
            refused = refused or error
    try:
        return _legacy(authorizer, action.user, wanted)
    except Forbidden as error:
        raise (refused or error) from None


def _constrained(authorizer: Authorizer, action: Action, wanted: User, mode: str) -> User:
    """The user as a mode allows it: for this verb on this resource, and as this user."""
    authorizer.check(action.but(verb=f"impersonate-on:{mode}:{action.verb}"))
    asked = Action(action.user, f"impersonate:{mode}", _GROUP_OF_USERS)
    actual = wanted
    if node := _node_name(wanted):
        name = "*" if mode == "associated-node" else node
        authorizer.check(asked.but(resource="nodes", name=name))
        actual = replace(wanted, groups=(NODES_GROUP,))
    elif account := split_username(wanted.name):
        authorizer.check(asked.but(resource="serviceaccounts", namespace=account[0], name=account[1]))
        actual = replace(wanted, groups=groups_of(account[0]))
    else:
        authorizer.check(asked.but(resource="users", name=wanted.name))
    for refused in ("", MASTERS):
        if refused in wanted.groups:
            what = f"the {refused} group" if refused else "the empty string group"
            raise refusal(asked.but(resource="groups", name=refused), f"impersonating {what} is not allowed")
    _check_all(authorizer, wanted, asked, asked)
    return _completed(actual)


def _legacy(authorizer: Authorizer, requestor: User, wanted: User) -> User:
    """The user as the plain verb allows it; each part of it is asked for."""
    asked = Action(requestor, "impersonate")
    actual = wanted
    if account := split_username(wanted.name):
        authorizer.check(asked.but(resource="serviceaccounts", namespace=account[0], name=account[1]))
        if not wanted.groups:
            actual = replace(wanted, groups=groups_of(account[0]))
    else:
        authorizer.check(asked.but(resource="users", name=wanted.name))
    _check_all(authorizer, wanted, asked.but(group=_GROUP_OF_USERS), asked)
    return _completed(actual)


def _check_all(authorizer: Authorizer, wanted: User, of_users: Action, of_groups: Action) -> None:
    """Ask for everything of a user beside the name."""
    if wanted.uid:
        authorizer.check(of_users.but(resource="uids", name=wanted.uid))
    for group in wanted.groups:
        authorizer.check(of_groups.but(resource="groups", name=group))
    for key, values in wanted.extra.items():
        for value in values:
            authorizer.check(of_users.but(resource="userextras", subresource=key, name=value))


def _completed(user: User) -> User:
    """The user as a member of the groups that everybody is in."""
    if user.name == ANONYMOUS.name:
        everybody = UNAUTHENTICATED
    elif UNAUTHENTICATED in user.groups:
        return user
    else:
        everybody = AUTHENTICATED
    return user if everybody in user.groups else replace(user, groups=(*user.groups, everybody))


# ---------------------------------------------------------------- the modes


def _only_name(wanted: User) -> bool:
    return not (wanted.uid or wanted.groups or wanted.extra)


def _node_name(wanted: User) -> str:
    name = wanted.name.removeprefix(NODE_PREFIX)
    return name if name != wanted.name and not list(names.dns_subdomain(name)) else ""


def _is_own_node(wanted: User, requestor: User) -> bool:
    """Whether a service account wants to be the node on which its pod runs."""
    node = _node_name(wanted) if _only_name(wanted) and split_username(requestor.name) else ""
    return bool(node) and list(requestor.extra.get(NODE_NAME, ())) == [node]


def _is_node(wanted: User, requestor: User) -> bool:
    return _only_name(wanted) and bool(_node_name(wanted))


def _is_service_account(wanted: User, requestor: User) -> bool:
    return _only_name(wanted) and split_username(wanted.name) is not None


def _is_person(wanted: User, requestor: User) -> bool:
    return not _node_name(wanted) and split_username(wanted.name) is None


#: Mode -> whether it is for this user; in the order in which they are tried.
_MODES: Final[dict[str, Callable[[User, User], bool]]] = {
    "associated-node": _is_own_node,
    "arbitrary-node": _is_node,
    "serviceaccount": _is_service_account,
    "user-info": _is_person,
}


def _as_go(user: User) -> str:
    """A user as Go prints the struct."""

    def strings(values: Iterator[str]) -> str:
        return "{" + ", ".join(f'"{value}"' for value in values) + "}"

    groups = f"[]string{strings(iter(user.groups))}" if user.groups else "[]string(nil)"
    extra = "map[string][]string(nil)"
    if user.extra:
        extra = "map[string][]string{" + ", ".join(
            f'"{key}":[]string{strings(iter(values))}' for key, values in sorted(user.extra.items())
        ) + "}"  # fmt: skip
    return f'&user.DefaultInfo{{Name:"{user.name}", UID:"{user.uid}", Groups:{groups}, Extra:{extra}}}'
