"""What is wrong with bytes that are no object, in whatever format they were meant to be.

Unreadable          not JSON, YAML or protobuf at all
├── Broken          should be JSON and is not
└── Undecodable     says of which kind it is, and is no object of it
"""

from __future__ import annotations


class Unreadable(ValueError):
    """The bytes are not JSON (or YAML, or protobuf) at all."""


class Broken(Unreadable):
    """The bytes should be JSON and are not; ``why`` is what Go's parser says."""

    def __init__(self, why: str) -> None:
        super().__init__(f"couldn't get version/kind; json parse error: {why}")
        self.why = why


class Undecodable(Unreadable):
    """The bytes say of which kind they are, and are no object of it."""

    def __init__(self, api_version: str, kind: str, why: str) -> None:
        super().__init__(why)
        self.api_version = api_version
        self.kind = kind
