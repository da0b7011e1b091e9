"""Terminals and ports of pods for a client, whose thread is another than the one in which the nodes work.

Each look and each word takes the lock of the nodes, and what is said wakes them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from autograder.controlplane.apimachinery.node_connection import HttpAnswer, Ports, Terminal


class SharedTerminal:
    """A terminal of a thread of its own, beside the one in which the nodes work."""

    def __init__(self, terminal: Terminal, lock: threading.Lock, news: threading.Event) -> None:
        self._terminal, self._lock, self._news = terminal, lock, news
        self.is_tty = terminal.is_tty

    def poll(self) -> list[tuple[str, str]]:
        """What was printed since the last look."""
        with self._lock:
            return self._terminal.poll()

    def type(self, text: str) -> None:
        """Give the program something to read."""
        with self._lock:
            self._terminal.type(text)
        self._news.set()

    def hang_up(self) -> None:
        """Whoever typed does so no more."""
        with self._lock:
            self._terminal.hang_up()
        self._news.set()

    @property
    def exit_code(self) -> int | None:
        """With what the program has ended; None while it runs."""
        with self._lock:
            return self._terminal.exit_code


class SharedPorts:
    """The ports of a pod, likewise."""

    def __init__(self, ports: Ports, lock: threading.Lock, news: threading.Event) -> None:
        self._ports, self._lock, self._news = ports, lock, news

    def refusal(self, port: int) -> str:
        """Why nothing can be sent to a port."""
        with self._lock:
            return self._ports.refusal(port)

    def ask(self, port: int, method: str, target: str, headers: Mapping[str, str]) -> HttpAnswer | None:
        """Send an HTTP request to a port."""
        with self._lock:
            answer = self._ports.ask(port, method, target, headers)
        self._news.set()
        return answer
