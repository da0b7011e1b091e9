"""The one exception tree of the API, and the one place that turns an exception into a ``Status``.

    StatusError                      any answer that is not the object asked for
    ├── BadRequest            400    the request cannot be understood
    ├── Unauthorized          401
    ├── Forbidden             403    understood, and refused
    ├── NotFound              404
    ├── MethodNotAllowed      405
    ├── NotAcceptable         406
    ├── Conflict              409    the object has changed, or an apply met another manager
    ├── AlreadyExists         409    an object of this name exists
    ├── Expired               410    the revision asked for has been compacted
    ├── RequestEntityTooLarge 413
    ├── UnsupportedMediaType  415
    ├── Invalid               422    field errors
    ├── TooManyRequests       429    an eviction that a disruption budget forbids
    ├── InternalError         500
    ├── Unclassified          500    an error that a real server has no reason for
    │   └── StoreError        500    etcd is away; what it said
    ├── Unreachable           500    a node does not answer
    ├── NotImplemented501     501    a part of Kubernetes that this control plane does not have
    ├── ServiceUnavailable    503    the server cannot answer now
    └── Timeout               504

Reasons, codes and message forms are those of Kubernetes (apimachinery/pkg/api/errors).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from autograder.controlplane.apimachinery.field import FieldError, quoted


class StatusError(Exception):
    """An error that the API server answers with: HTTP code, machine-readable reason, message, details."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = None if details is None else dict(details)

    def status(self) -> dict[str, Any]:
        """The ``metav1.Status`` document of this error, as the wire shows it."""
        body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        if self.message:
            body["message"] = self.message
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


class BadRequest(StatusError):
    """The request cannot be understood: bad syntax, a strict decoding error, a wrong parameter."""

    code, reason = 400, "BadRequest"


class Expired(StatusError):
    """The resourceVersion or continue token is older than the history that is kept.

    ``token`` lets the client read the rest of its list as it stands now.
    """

    code, reason = 410, "Expired"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None, token: str = "") -> None:
        super().__init__(message, details=details)
        self.token = token

    def status(self) -> dict[str, Any]:
        """The ``Status``, with the token among its metadata."""
        return super().status() | {"metadata": {"continue": self.token} if self.token else {}}


class Unauthorized(StatusError):
    """Nobody is known by the credentials given."""

    code, reason = 401, "Unauthorized"


class Forbidden(StatusError):
    """The request is understood and refused: by authorization, by admission, or by the rules of the resource."""

    code, reason = 403, "Forbidden"

    @classmethod
    def on(cls, resource: str, group: str, name: str, why: str) -> Forbidden:
        """``<resource>.<group> "<name>" is forbidden: <why>``; without a name, ``<resource> is forbidden: <why>``."""
        qualified = qualified_resource(resource, group)
        subject = f"{qualified} {quoted(name)}" if name else qualified
        return cls(f"{subject} is forbidden: {why}", details=details_of(resource, group, name))


class NotFound(StatusError):
    """There is no such object, or no such resource."""

    code, reason = 404, "NotFound"

    @classmethod
    def on(cls, resource: str, group: str, name: str) -> NotFound:
        """``<resource>.<group> "<name>" not found``."""
        return cls(
            f"{qualified_resource(resource, group)} {quoted(name)} not found", details=details_of(resource, group, name)
        )

    @classmethod
    def path(cls) -> NotFound:
        """The answer for a path that no API serves."""
        return cls("the server could not find the requested resource", details={})


class MethodNotAllowed(StatusError):
    """The resource exists and does not have this verb."""

    code, reason = 405, "MethodNotAllowed"

    @classmethod
    def path(cls) -> MethodNotAllowed:
        """The answer for a path that is served, by other methods."""
        return cls("the server does not allow this method on the requested resource", details={})


class NotAcceptable(StatusError):
    """No media type of the ``Accept`` header can be produced."""

    code, reason = 406, "NotAcceptable"


class Conflict(StatusError):
    """The object has been changed meanwhile, or its state forbids the operation."""

    code, reason = 409, "Conflict"

    @classmethod
    def on(cls, resource: str, group: str, name: str, why: str) -> Conflict:
        """``Operation cannot be fulfilled on <resource>.<group> "<name>": <why>``."""
        message = f"Operation cannot be fulfilled on {qualified_resource(resource, group)} {quoted(name)}: {why}"
        return cls(message, details=details_of(resource, group, name))


class AlreadyExists(StatusError):
    """An object of this name exists."""

    code, reason = 409, "AlreadyExists"

    @classmethod
    def on(cls, resource: str, group: str, name: str) -> AlreadyExists:
        """``<resource>.<group> "<name>" already exists``."""
        message = f"{qualified_resource(resource, group)} {quoted(name)} already exists"
        return cls(message, details=details_of(resource, group, name))


class RequestEntityTooLarge(StatusError):
    """The body is larger than the server reads."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(StatusError):
    """The body is in a format that the server does not read."""

    code, reason = 415, "UnsupportedMediaType"

    @classmethod
    def accepting(cls, media_types: Iterable[str]) -> UnsupportedMediaType:
        """The refusal that names what would have been read."""
        text = "the body of the request was in an unknown format - accepted media types include: "
        return cls(text + ", ".join(media_types))


class Invalid(StatusError):
    """The object was decoded, and fields of it are wrong."""

    code, reason = 422, "Invalid"

    @classmethod
    def on(cls, kind: str, group: str, name: str, errors: Iterable[FieldError]) -> Invalid:
        """``<Kind>.<group> "<name>" is invalid: <errors>``, one cause for each field error.

        Equal errors are said once in the message (as in Kubernetes' Aggregate); every one has its cause.
        """
        found = list(errors)
        texts = list(dict.fromkeys(str(error) for error in found))
        listed = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
        details = details_of(kind, group, name)
        details["causes"] = [
            {"reason": error.type.reason, "message": error.body(), "field": error.field} for error in found
        ]
        return cls(f"{qualified_resource(kind, group)} {quoted(name)} is invalid: {listed}", details=details)


class TooManyRequests(StatusError):
    """Try again later; an eviction is refused this way while a disruption budget forbids it."""

    code, reason = 429, "TooManyRequests"


class Unclassified(StatusError):
    """An error that a real server passes on as it is, without a reason."""

    code, reason = 500, ""


class StoreError(Unclassified):
    """The store did not answer; the message is the store's own."""


class Unreachable(StatusError):
    """A node does not answer; the message is that of whoever called it, and no reason is known to clients."""

    code, reason = 500, ""


class InternalError(StatusError):
    """The server itself failed."""

    code, reason = 500, "InternalError"

    @classmethod
    def because(cls, why: str) -> InternalError:
        """``Internal error occurred: <why>``."""
        return cls(f"Internal error occurred: {why}", details={"causes": [{"message": why}]})


class NotImplemented501(StatusError):
    """A part of Kubernetes v1.36 that this control plane does not have; said, never silently ignored."""

    code, reason = 501, "NotImplemented"


class ServiceUnavailable(StatusError):
    """The server cannot answer now, for instance because it has been stopped."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(StatusError):
    """The operation did not end in time."""

    code, reason = 504, "Timeout"

    @classmethod
    def too_large(cls, asked: int, current: int) -> Timeout:
        """A resourceVersion that has not happened yet was asked for."""
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        message = f"Timeout: Too large resource version: {asked}, current: {current}"
        return cls(message, details={"causes": causes, "retryAfterSeconds": 1})


def qualified_resource(resource: str, group: str) -> str:
    """``deployments`` in group ``apps`` is ``deployments.apps``; the core group adds nothing."""
    return f"{resource}.{group}" if group else resource


def details_of(kind_or_resource: str, group: str, name: str) -> dict[str, Any]:
    """The ``details`` of a Status about one object; empty parts are left out, as on the wire."""
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind_or_resource:
        details["kind"] = kind_or_resource
    return details
