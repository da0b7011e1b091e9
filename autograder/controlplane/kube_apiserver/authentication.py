"""Who asks: the tokens of service accounts, and what is left when nobody shows a credential.

A front that knows its client (by a certificate, or as the administrator) says so in ``Request.user``; here is judged
who comes with a bearer token, or with nothing.  Tokens are JSON Web Tokens as ``TokenRequest`` issues them, signed with
a key of the cluster (HS256: a signature that needs no more than the standard library).  Times are virtual, as all times
of a cluster.  Claims and messages are those of pkg/serviceaccount.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import Unauthorized
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import ANONYMOUS, Object, Request, User
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.impersonation import AUTHENTICATED, NODE_NAME
from autograder.controlplane.kube_apiserver.service_accounts import groups_of, username

ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
#: Whom a token is for unless it is asked for otherwise: the API server itself.
AUDIENCES: Final = (ISSUER,)
#: How far clocks may be apart, and how long a deleted object still counts, in seconds.
LEEWAY: Final = 60
_TOKEN_LIMIT: Final = 16 * 1024
_EXTRA: Final = "authentication.kubernetes.io/"


INVALID: Final = "invalid bearer token"


class InvalidToken(Exception):
    """A token that proves nothing; the message is what a ``TokenReview`` tells of it."""

    def __init__(self, why: str = "") -> None:
        super().__init__(f"[{INVALID}, {why}]" if why else INVALID)


class Verified(NamedTuple):
    """Whom a token stands for, and for which audiences."""

    user: User
    audiences: tuple[str, ...]


class Authenticator:
    """Issues and checks the tokens of one cluster; ``key`` signs them."""

    def __init__(self, backend: Backend, key: bytes) -> None:
        self._backend = backend
        self.key = key
        self._key_id = hashlib.sha256(key).hexdigest()[:43]

    def user_of(self, request: Request) -> User:
        """Who sent a request. Raises ``Unauthorized`` for a credential that does not hold."""
        if request.user is not None:
            return request.user
        scheme_name, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if not token or scheme_name.lower() != "bearer":
            return ANONYMOUS
        try:
            return self.verify(token, AUDIENCES).user
        except InvalidToken as error:
            raise Unauthorized("Unauthorized") from error

    # ------------------------------------------------------------ issuing

    def issue(
        self, account: Object, seconds: int, audiences: Sequence[str], *,
        pod: Object | None = None, secret: Object | None = None, node: Object | None = None,
    ) -> str:  # fmt: skip
        """A token for a service account, valid for some seconds of virtual time, bound to an object if one is given."""
        now = self._backend.clock.now // SECOND
        meta = account["metadata"]
        given = (("node", node), ("pod", pod), ("secret", secret))
        bound = {name: _reference(obj) for name, obj in given if obj is not None}
        return self._signed({
            "aud": list(audiences),
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": self._backend.uid(),
            "kubernetes.io": {"namespace": meta["namespace"], **bound, "serviceaccount": _reference(account)},
            "nbf": now,
            "sub": username(meta["namespace"], meta["name"]),
        })  # fmt: skip

    def _signed(self, claims: Object) -> str:
        header = {"alg": "HS256", "kid": self._key_id, "typ": "JWT"}
        content = ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{content}.{_encoded(self._signature(content))}"

    def _signature(self, content: str) -> bytes:
        return hmac.digest(self.key, content.encode(), "sha256")

    # ------------------------------------------------------------ checking

    def verify(self, token: str, audiences: Sequence[str]) -> Verified:
        """The user for whom a token stands. Raises ``InvalidToken``."""
        claims = self._claims(token)
        given = tuple(claims["aud"])
        accepted = tuple(audience for audience in given if audience in audiences)
        if not accepted:
            raise InvalidToken(f"token audiences {_go(given)} is invalid for the target audiences {_go(audiences)}")
        self._check_times(claims)
        own = claims["kubernetes.io"]
        namespace, reference = own["namespace"], own["serviceaccount"]
        self._check_account(namespace, reference)
        extra = {_EXTRA + "credential-id": (f"JTI={claims['jti']}",)}
        if "node" in own:
            if "pod" not in own:
                self._check_bound(scheme.NODES, "", own["node"])
            extra |= {NODE_NAME: (own["node"]["name"],), _EXTRA + "node-uid": (own["node"]["uid"],)}
        if "pod" in own:
            self._check_bound(scheme.PODS, namespace, own["pod"])
            extra |= {_EXTRA + "pod-name": (own["pod"]["name"],), _EXTRA + "pod-uid": (own["pod"]["uid"],)}
        if "secret" in own:
            self._check_bound(scheme.SECRETS, namespace, own["secret"])
        groups = (*groups_of(namespace), AUTHENTICATED)
        return Verified(User(username(namespace, reference["name"]), groups, reference["uid"], extra), accepted)

    def _claims(self, token: str) -> Any:
        """What a token says, once its signature is known to be ours."""
        content, _, signature = token.rpartition(".")
        if len(token) > _TOKEN_LIMIT or not token.isascii() or content.count(".") != 1:
            raise InvalidToken
        if not hmac.compare_digest(_encoded(self._signature(content)), signature):
            raise InvalidToken
        return json.loads(_decoded(content.partition(".")[2]))

    def _check_times(self, claims: Any) -> None:
        now = self._backend.clock.now // SECOND
        if now > claims["exp"] + LEEWAY:
            raise InvalidToken("service account token has expired")
        if now < claims["nbf"] - LEEWAY:
            raise InvalidToken("service account token is not valid yet")

    def _check_account(self, namespace: str, reference: Any) -> None:
        name, uid = reference["name"], reference["uid"]
        account = self._backend.read(scheme.SERVICEACCOUNTS, namespace, name)
        if account is None:
            raise InvalidToken(f'serviceaccounts "{name}" not found')
        found = account["metadata"]["uid"]
        if found != uid:
            raise InvalidToken(f"service account UID ({found}) does not match claim ({uid})")

    def _check_bound(self, kind: ResourceType, namespace: str, reference: Any) -> None:
        """The object that a token is bound to must still be the same one."""
        obj = self._backend.read(kind, namespace, reference["name"])
        if obj is None:
            raise InvalidToken("service account token has been invalidated")
        uid = obj["metadata"]["uid"]
        if uid != reference["uid"]:
            what = f"service account {kind.singular} ref claim ({reference['uid']})"
            raise InvalidToken(f"{kind.singular} UID ({uid}) does not match {what}")


def signing_key(seed: int, secret: str = "") -> bytes:
    """The key of a cluster: equal for equal seeds; with a secret, known to nobody who does not have that."""
    return hashlib.sha256(f"{seed}/service-account-key/{secret}".encode()).digest()


def _reference(obj: Object) -> Object:
    return {"name": obj["metadata"]["name"], "uid": obj["metadata"].get("uid", "")}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _go(texts: Sequence[str]) -> str:
    return "[" + " ".join(f'"{text}"' for text in texts) + "]"
