"""What somebody asks to be allowed, and the words in which it is refused.

The texts are those of apiserver/pkg/endpoints/handlers/responsewriters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.apimachinery.wire import Request, RequestInfo, User

_NAME_SELECTOR: Final = "metadata.name="
_COLLECTIVE: Final = ("list", "watch", "deletecollection")
_HTML: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}


@dataclass(frozen=True, slots=True)
class Action:
    """Somebody's wish to use a verb on a resource, or on a path that is none (then ``path`` is all there is).

    ``fields`` are the terms of a field selector, of which authorizers look at those that name one object or node.
    """

    user: User
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    fields: tuple[str, ...] = ()

    def but(self, **changes: str) -> Action:
        """The same wish with some things changed, for instance the verb."""
        return replace(self, **changes)  # type: ignore[arg-type]


class Decision(NamedTuple):
    """Whether an action is allowed, and what the authorizers had to say about it."""

    allowed: bool
    reason: str = ""


def action_of(request: Request, info: RequestInfo | None, user: User) -> Action:
    """What a request asks for, as apiserver/pkg/endpoints/request reads it."""
    if info is None:
        return Action(user, request.method.lower(), path=request.path)
    fields: tuple[str, ...] = ()
    name = info.name
    if info.verb in _COLLECTIVE:
        fields = tuple(term for term in request.param("fieldSelector").split(",") if term)
        names = [term.removeprefix(_NAME_SELECTOR) for term in fields if term.startswith(_NAME_SELECTOR)]
        name = name or (names[0] if len(names) == 1 else "")
    namespace = info.namespace
    if info.resource == "namespaces" and not info.group and info.name:
        namespace = info.name
    return Action(user, info.verb, info.group, info.resource, info.subresource, namespace, name, fields=fields)


def refusal(action: Action, reason: str = "") -> Forbidden:
    """The answer to an action that is not allowed."""
    text = _sentence(action).translate(_HTML)
    if reason:
        text = f"{text}: {reason}"
    if action.path:
        return Forbidden(f"forbidden: {text}", details={})
    return Forbidden.on(action.resource, action.group, action.name, text)


def _sentence(action: Action) -> str:
    subject = f"User {quoted(action.user.name)} cannot {action.verb}"
    if action.path:
        return f"{subject} path {quoted(action.path)}"
    resource = f"{action.resource}/{action.subresource}" if action.subresource else action.resource
    scope = f"in the namespace {quoted(action.namespace)}" if action.namespace else "at the cluster scope"
    return f"{subject} resource {quoted(resource)} in API group {quoted(action.group)} {scope}"
