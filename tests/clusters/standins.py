"""Programs that pretend: put on PATH in place of real ones, they fail in the ways in which real ones do."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Serves what readiness is asked from, at the port and with the certificate that its flags name.
_SERVER = """
import http.server, ssl, sys
flags = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *words):
        pass
address = flags.get("listen-client-urls", "").rpartition(":")[2] or flags["secure-port"]
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(address)), Ready)
if "tls-cert-file" in flags:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(flags["tls-cert-file"], flags["tls-private-key-file"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""
#: Notes what it was asked, and answers as the first rule that fits says.
_PRETENDER = """
import json, pathlib, re, sys, time
here = pathlib.Path(__file__)
asked = " ".join(sys.argv[1:])
with here.with_suffix(".calls").open("a") as calls:
    calls.write(asked + "\\n")
for pattern, answer in json.loads(here.with_suffix(".rules").read_text()):
    if re.search(pattern, asked):
        end = time.monotonic() + 300
        while "until" in answer and not here.with_suffix("." + answer["until"]).exists() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(answer.get("seconds", 0))
        if "once" in answer:
            mark = here.with_suffix("." + answer["once"])
            if mark.exists():
                continue
            mark.touch()
        sys.stdout.write(answer.get("out", "")); sys.stderr.write(answer.get("err", ""))
        sys.exit(answer.get("code", 0))
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A program that is this Python script."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


def server(folder: Path, name: str, before: str = "") -> None:
    """A program that gets ready; ``before`` is what it does first."""
    write(folder, name, f"import os, signal, sys, time\n{before}\n{_SERVER}")


def failing(folder: Path, name: str, said: str, code: int = 1) -> None:
    """A program that ends at once with its last words."""
    write(folder, name, f"import sys\nprint({said!r}, file=sys.stderr)\nsys.exit({code})")


def pretender(folder: Path, name: str, rules: Mapping[str, Mapping[str, Any]]) -> None:
    """A program that answers commands by rules: a pattern to what it prints (``out``, ``err``), ``code``, ``seconds``.

    A rule with ``until`` is answered only when there is a file of the program's name with this ending; one with
    ``once`` holds a single time; a command that no rule fits succeeds and says nothing.
    """
    path = write(folder, name, _PRETENDER)
    path.with_suffix(".rules").write_text(json.dumps(list(rules.items())))


def calls(folder: Path, name: str) -> list[str]:
    """The commands that a pretender was given."""
    path = (folder / name).with_suffix(".calls")
    return path.read_text().splitlines() if path.exists() else []
