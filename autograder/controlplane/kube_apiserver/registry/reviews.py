"""Reviews: questions to the API server about who somebody is and what he may do.

A review is posted, answered in its status and not kept.  Sources: pkg/registry/authorization and
pkg/registry/authentication, and the validation of both groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import BadRequest, Invalid
from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden, invalid, required
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, User
from autograder.controlplane.kube_apiserver.authentication import AUDIENCES, Authenticator, InvalidToken
from autograder.controlplane.kube_apiserver.authorization import Action, Authorizer
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.registry.review_selectors import evaluation_error
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.meta import label_name

_AUTHORIZATION: Final = "authorization.k8s.io"
_AUTHENTICATION: Final = "authentication.k8s.io"
#: Metadata that only the server sets, and takes out of what clients send.
SYSTEM_FIELDS: Final = ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")

Answer = Callable[[Object, User, str], Object]


class Reviews:
    """Answers the reviews of one cluster."""

    def __init__(self, backend: Backend, authorizer: Authorizer, authenticator: Authenticator) -> None:
        self._backend = backend
        self._authorizer = authorizer
        self._authenticator = authenticator
        self._answers: dict[ResourceType, Answer] = {
            scheme.resource("selfsubjectaccessreviews", _AUTHORIZATION): self._self_subject_access,
            scheme.resource("subjectaccessreviews", _AUTHORIZATION): self._subject_access,
            scheme.resource("localsubjectaccessreviews", _AUTHORIZATION): self._local_subject_access,
            scheme.resource("selfsubjectrulesreviews", _AUTHORIZATION): self._self_subject_rules,
            scheme.resource("selfsubjectreviews", _AUTHENTICATION): self._self_subject,
            scheme.resource("tokenreviews", _AUTHENTICATION): self._token,
        }

    def knows(self, kind: ResourceType) -> bool:
        """Whether a kind is a review."""
        return kind in self._answers

    def answer(self, kind: ResourceType, review: Object, user: User, namespace: str) -> Object:
        """The review with its answer. Raises ``Invalid`` or ``BadRequest`` for a question that makes no sense."""
        for name in SYSTEM_FIELDS:
            review["metadata"].pop(name, None)
        return self._answers[kind](review, user, namespace)

    # ------------------------------------------------------------ what somebody may do

    def _self_subject_access(self, review: Object, user: User, namespace: str) -> Object:
        spec = review["spec"]
        errors = [*_validate_attributes(spec), *_validate_selectors(spec), *_validate_metadata(review, "must be empty")]
        _refuse(review, errors)
        return self._decided(review, user)

    def _subject_access(self, review: Object, user: User, namespace: str) -> Object:
        _refuse(review, [*_validate_subject(review["spec"]), *_validate_metadata(review, "must be empty")])
        return self._decided(review, _subject(review["spec"]))

    def _local_subject_access(self, review: Object, user: User, namespace: str) -> Object:
        spec = review["spec"]
        errors = [
            *_validate_subject(spec),
            *_validate_metadata(review, "must be empty except for namespace", namespace),
        ]
        about = spec.get("resourceAttributes")
        if about is not None and about.get("namespace", "") != namespace:
            path = Path("spec.resourceAttributes.namespace")
            errors.append(invalid(path, about.get("namespace", ""), "must match metadata.namespace"))
        if "nonResourceAttributes" in spec:
            path = Path("spec.nonResourceAttributes")
            errors.append(invalid(path, _internal(spec["nonResourceAttributes"]), "disallowed on this kind of request"))
        _refuse(review, errors)
        return self._decided(review, _subject(spec))

    def _decided(self, review: Object, user: User) -> Object:
        decision = self._authorizer.decide(_action(review["spec"], user))
        status: Object = {"allowed": decision.allowed}
        if decision.reason:
            status["reason"] = decision.reason
        if problem := evaluation_error(review["spec"].get("resourceAttributes") or {}):
            status["evaluationError"] = problem
        return {**review, "status": status}

    def _self_subject_rules(self, review: Object, user: User, namespace: str) -> Object:
        about = review["spec"].get("namespace", "")
        if not about:
            raise BadRequest("no namespace on request")
        grants, why = self._authorizer.rules_for(user, about)
        resources, paths = [], []
        for rule, _ in grants.granted:
            if rule.get("resources"):
                resources.append({key: rule[key] for key in _RESOURCE_RULE if rule.get(key)})
            if rule.get("nonResourceURLs"):
                paths.append({key: rule[key] for key in ("verbs", "nonResourceURLs")})
        status: Object = {"resourceRules": resources, "nonResourceRules": paths, "incomplete": bool(why)}
        if errors := [*([why] if why else ()), *grants.errors]:
            status["evaluationError"] = errors[0] if len(errors) == 1 else "[" + ", ".join(errors) + "]"
        return _fresh(review, {}, {"spec": {}, "status": status})

    # ------------------------------------------------------------ who somebody is

    def _self_subject(self, review: Object, user: User, namespace: str) -> Object:
        metadata = {"creationTimestamp": self._backend.now()}
        return _fresh(review, metadata, {"status": {"userInfo": _user_info(user)}})

    def _token(self, review: Object, user: User, namespace: str) -> Object:
        token = review["spec"].get("token", "")
        if not token:
            raise BadRequest("token is required for TokenReview in authentication")
        try:
            verified = self._authenticator.verify(token, review["spec"].get("audiences") or AUDIENCES)
        except InvalidToken as error:
            return {**review, "status": {"user": {}, "error": str(error)}}
        status = {
            "authenticated": True, "user": _user_info(verified.user), "audiences": list(verified.audiences),
        }  # fmt: skip
        return {**review, "status": status}


_RESOURCE_RULE: Final = ("verbs", "apiGroups", "resources", "resourceNames")


def _fresh(review: Object, metadata: Object, content: Object) -> Object:
    """An answer that repeats nothing of the question."""
    return {"kind": review["kind"], "apiVersion": review["apiVersion"], "metadata": metadata, **content}


def _user_info(user: User) -> Object:
    info: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups)}
    if user.extra:
        info["extra"] = {key: list(values) for key, values in sorted(user.extra.items())}
    return {key: value for key, value in info.items() if value}


def _subject(spec: Object) -> User:
    """The user that a review asks about."""
    extra = {key: tuple(values or ()) for key, values in (spec.get("extra") or {}).items()}
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), extra)


def _action(spec: Object, user: User) -> Action:
    """What a review asks to be decided."""
    about = spec.get("resourceAttributes")
    if about is None:
        path = spec["nonResourceAttributes"]
        return Action(user, path.get("verb", ""), path=path.get("path", ""))
    return Action(
        user, about.get("verb", ""), about.get("group", ""), about.get("resource", ""), about.get("subresource", ""),
        about.get("namespace", ""), about.get("name", ""), fields=_field_terms(about.get("fieldSelector") or {}),
    )  # fmt: skip


def _field_terms(selector: Object) -> tuple[str, ...]:
    """The terms of a field selector that name one value."""
    raw = tuple(term for term in selector.get("rawSelector", "").split(",") if term)
    requirements = selector.get("requirements") or ()
    listed = (one for one in requirements if one["operator"] == "In" and len(one.get("values") or ()) == 1)
    return raw or tuple(f"{one['key']}={one['values'][0]}" for one in listed)


# ---------------------------------------------------------------- validation


def _refuse(review: Object, errors: list[FieldError]) -> None:
    if errors:
        raise Invalid.on("", _AUTHORIZATION, "", errors)  # a real server names no kind here


def _internal(path: Object) -> Object:
    """A question about a path as messages show it: in the unversioned type, whose fields have the names of Go."""
    return {"Path": path.get("path", ""), "Verb": path.get("verb", "")}


def _validate_attributes(spec: Object) -> Iterator[FieldError]:
    about, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if about is not None and path is not None:
        what = "cannot be specified in combination with resourceAttributes"
        yield invalid(Path("spec").child("nonResourceAttributes"), _internal(path), what)
    if about is None and path is None:
        what = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid(Path("spec").child("resourceAttributes"), None, what)


def _validate_subject(spec: Object) -> Iterator[FieldError]:
    yield from _validate_attributes(spec)
    if not spec.get("user") and not spec.get("groups"):
        yield invalid(Path("spec").child("user"), "", "at least one of user or group must be specified")
    yield from _validate_selectors(spec)


def _validate_selectors(spec: Object) -> Iterator[FieldError]:
    for name in ("fieldSelector", "labelSelector"):
        selector = (spec.get("resourceAttributes") or {}).get(name)
        if selector is not None:
            yield from _validate_selector(selector, Path("spec.resourceAttributes").child(name))


def _validate_selector(selector: Object, path: Path) -> Iterator[FieldError]:
    raw, requirements = selector.get("rawSelector", ""), selector.get("requirements") or ()
    if raw and requirements:
        yield invalid(path.child("rawSelector"), raw, "may not specified at the same time as requirements")
    if not raw and not requirements:
        what = f"when {path} is specified, requirements or rawSelector is required"
        yield required(path.child("requirements"), what)
    for index, requirement in enumerate(requirements):
        at = path.child("requirements").index(index)
        yield from _validate_requirement(requirement, at, of_fields="fieldSelector" in str(path))


def _validate_requirement(requirement: Object, path: Path, *, of_fields: bool) -> Iterator[FieldError]:
    """One condition; operators of newer clients are let through."""
    key, operator, values = (requirement.get(name) for name in ("key", "operator", "values"))
    if of_fields and not key:
        yield required(path.child("key"), "must be specified")
    if operator in ("In", "NotIn") and not values:
        yield required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'")
    if operator in ("Exists", "DoesNotExist") and values:
        yield forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    if of_fields:
        return
    yield from label_name(key or "", path.child("key"))
    for index, value in enumerate(values or ()):
        yield from malformed(path.child("values").index(index), value, names.label_value(value))


def _validate_metadata(review: Object, what: str, namespace: str = "") -> Iterator[FieldError]:
    """A review has no name; what the server itself notes in the metadata does not count."""
    given: dict[str, Any] = {key: value for key, value in review["metadata"].items() if key != "managedFields"}
    if namespace and given.get("namespace") == namespace:
        del given["namespace"]
    if given:
        yield invalid(Path("metadata"), review["metadata"], what)
