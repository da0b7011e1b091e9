"""The commands that talk to servers: ``wget``, ``curl``, ``nc``, ``nslookup`` and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Applet, Call, Outcome, Serve, Sleep
from autograder.controlplane.containers.network import Answer, NetworkError, NoNameServer, Refused, TimedOut, Unresolved
from autograder.controlplane.containers.records import Listener
from autograder.controlplane.containers.servers import REASONS

_NC_TIMEOUT: Final = 5.0
#: No client waits for longer, in seconds.
_LONGEST: Final = 1e9


def _nslookup(call: Call) -> Outcome:
    names = [arg for arg in call.args if not arg.startswith("-")]
    if not names:
        return call.fail("missing operand")
    name = names[0]
    server = "10.96.0.10"
    try:
        addresses = call.system.resolve(name)
    except NoNameServer:
        call.err(";; connection timed out; no servers could be reached\n\n")
        return 1
    except Unresolved:
        call.out(f"Server:\t\t{server}\nAddress:\t{server}:53\n\n")
        call.out(f"** server can't find {name}: NXDOMAIN\n\n")
        return 1
    call.out(f"Server:\t\t{server}\nAddress:\t{server}:53\n\n")
    full = addresses[0]
    call.out("".join(f"Name:\t{full}\nAddress: {address}\n" for address in addresses[1:]) + "\n")
    return 0


@dataclass(slots=True)
class _Download:
    """What the words of a ``wget`` ask for; an ``output`` of '' is a file named like the end of the URL."""

    url: str = ""
    output: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    timeout: float = 900.0
    quiet: bool = False
    spider: bool = False


def _download_of(words: Sequence[str]) -> _Download:
    args, asked = list(words), _Download()
    while args:
        arg = args.pop(0)
        if arg == "--spider":
            asked.spider = True
        elif arg.startswith("--timeout="):
            asked.timeout = _seconds(arg.partition("=")[2], 900.0)
        elif arg.startswith("--header"):
            name, _, value = (arg.partition("=")[2] or (args.pop(0) if args else "")).partition(":")
            asked.headers[name] = value.strip()
        elif arg.startswith("-") and not arg.startswith("--"):
            _read_flags(arg[1:], args, asked)
        elif not arg.startswith("-"):
            asked.url = arg
    return asked


def _read_flags(flags: str, args: list[str], asked: _Download) -> None:
    """Read letters that stand behind one dash; a value is what is left of them, or else the next word."""
    for place, flag in enumerate(flags, 1):
        if flag == "q":
            asked.quiet = True
        elif flag in "OT":
            value = flags[place:] or (args.pop(0) if args else "")
            if flag == "O":
                asked.output = value
            else:
                asked.timeout = _seconds(value, asked.timeout)
            return


def _wget(call: Call) -> Outcome:
    asked = _download_of(call.args)
    if not asked.url:
        return call.fail("missing URL")
    try:
        answer = call.system.request(asked.url, headers=asked.headers | {"User-Agent": "Wget"}, timeout=asked.timeout)
    except (Unresolved, NoNameServer) as error:
        return call.fail(str(error))
    except TimedOut:
        call.fail("download timed out")
        return Sleep(int(min(asked.timeout, 130) * SECOND), 1)
    except NetworkError as error:
        host = _without_scheme(asked.url).partition("/")[0].partition(":")[0]
        return call.fail(f"can't connect to remote host ({call.system.resolve(host)[-1]}): {error}")
    if answer.status >= 400:
        call.err(f"wget: server returned error: HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}\n")
        return 1
    if not asked.spider:
        _save(call, asked, answer.body)
    return 0


def _save(call: Call, asked: _Download, body: str) -> None:
    if asked.output == "-":
        call.out(body)
        return
    path = _without_scheme(asked.url).rstrip("/")
    name = asked.output or (path.rpartition("/")[2] if "/" in path else "index.html")
    call.system.files.write(call.path(name), body)
    if not asked.quiet:
        call.err(f"saving to '{name}'\n'{name}' saved\n")


def _without_scheme(url: str) -> str:
    return re.sub(r"^\w+://", "", url)


def _seconds(text: str, otherwise: float) -> float:
    """A number of seconds, or what holds where there is none."""
    return min(float(text), _LONGEST) if re.fullmatch(r"\d+(\.\d+)?", text) else otherwise


_CURL_VALUED: Final = frozenset(
    "-o --output -m --max-time --connect-timeout -H --header -w --write-out -X --request -d --data -A --user-agent "
    "--retry -u --user --resolve --cacert".split()
)


def _curl(call: Call) -> Outcome:
    args = list(call.args)
    options: dict[str, str] = {}
    headers: dict[str, str] = {}
    urls: list[str] = []
    while args:
        arg = args.pop(0)
        if not arg.startswith("-"):
            urls.append(arg)
            continue
        flags = [arg] if arg.startswith("--") else [f"-{flag}" for flag in arg[1:]]
        for index, flag in enumerate(flags):
            if flag in _CURL_VALUED:
                rest = arg[index + 2 :] if not arg.startswith("--") else ""
                value = rest or (args.pop(0) if args else "")
                if flag in ("-H", "--header"):
                    name, _, text = value.partition(":")
                    headers[name] = text.strip()
                options[flag] = value
                break
            options[flag] = ""
    if not urls:
        call.err("curl: (2) no URL specified\n")
        return 2
    status = 0
    for url in urls:
        status = _fetch(call, url, options, headers)
    return Sleep(int(_limit(options) * SECOND), 28) if status == 28 else status


def _limit(options: Mapping[str, str]) -> float:
    """How long curl waits for an answer, in seconds."""
    return _seconds(options.get("-m", options.get("--max-time", options.get("--connect-timeout", ""))), 130.0)


def _fetch(call: Call, url: str, options: dict[str, str], headers: dict[str, str]) -> int:
    """One transfer of curl; gives its exit status."""
    quiet = ("-s" in options or "--silent" in options) and "-S" not in options
    limit = _limit(options)
    name, _, port = _without_scheme(url).partition("/")[0].partition(":")
    failures: dict[type[NetworkError], tuple[int, str]] = {
        Unresolved: (6, f"Could not resolve host: {name}"),
        NoNameServer: (6, f"Could not resolve host: {name}"),
        Refused: (7, f"Failed to connect to {name} port {port or 80} after 0 ms: Could not connect to server"),
        TimedOut: (28, f"Connection timed out after {int(limit * 1000)} milliseconds"),
    }
    answer: Answer | None = None
    status = 0
    try:
        answer = call.system.request(
            url, headers={"User-Agent": "curl"} | headers, timeout=limit,
            method=options.get("-X", options.get("--request", "GET")),
        )  # fmt: skip
    except NetworkError as error:
        status, text = failures.get(type(error), (7, str(error)))
        if not quiet:
            call.err(f"curl: ({status}) {text}\n")
    if answer is not None:
        if answer.status >= 400 and ("-f" in options or "--fail" in options):
            status = 22
            if not quiet:
                call.err(f"curl: (22) The requested URL returned error: {answer.status}\n")
        else:
            _show(call, answer, options)
    form = options.get("-w", options.get("--write-out", ""))
    if form:
        code = f"{answer.status:03d}" if answer else "000"
        call.out(form.replace("%{http_code}", code).replace("%{response_code}", code).replace("\\n", "\n"))
    return status


def _show(call: Call, answer: Answer, options: dict[str, str]) -> None:
    """Print what curl has got, or write it to the file that was named."""
    head = f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}\r\nContent-Type: {answer.content_type}\r\n"
    text = ""
    if {"-I", "-i", "--head", "--include"} & options.keys():
        text = f"{head}Content-Length: {len(answer.body)}\r\n\r\n"
    if not {"-I", "--head"} & options.keys():
        text += answer.body
    target = options.get("-o", options.get("--output", "-"))
    if target == "-":
        call.out(text)
    else:
        call.system.files.write(call.path(target), text)


def _ping(call: Call) -> Outcome:
    names = [arg for arg in call.args if not arg.startswith("-") and not arg.isdigit()]
    if not names:
        return call.fail("missing operand")
    try:
        address = call.system.resolve(names[0])[-1]
    except (Unresolved, NoNameServer) as error:
        return call.fail(str(error))
    call.out(f"PING {names[0]} ({address}): 56 data bytes\n")
    return 0


def _nc(call: Call) -> Outcome:
    """``nc -z HOST PORT`` tells whether something listens; ``nc -l -p PORT`` listens."""
    args = [arg for arg in call.args if not arg.startswith("-")]
    flags = "".join(arg[1:] for arg in call.args if arg.startswith("-"))
    if "l" in flags:
        port = next((port for arg in args if (port := integers.read(arg)) is not None), 0)
        return Serve((Listener(port, "tcp"),))
    if len(args) < 2 or integers.read(args[-1]) is None:
        return call.fail("bad arguments")
    try:
        call.system.request(f"tcp://{args[-2]}:{args[-1]}", headers={}, timeout=_NC_TIMEOUT)
    except TimedOut as error:
        call.fail(f"{args[-2]} ({args[-2]}:{args[-1]}): {error}")
        return Sleep(int(_NC_TIMEOUT * SECOND), 1)
    except NetworkError as error:
        return call.fail(f"{args[-2]} ({args[-2]}:{args[-1]}): {error}")
    if "v" in flags:
        call.err(f"{args[-2]} ({args[-2]}:{args[-1]}) open\n")
    return 0


def _redis_cli(call: Call) -> Outcome:
    call.out("PONG\n" if [arg.lower() for arg in call.args][-1:] == ["ping"] else "OK\n")
    return 0


NETWORK_CLIENTS: Final[dict[str, Applet]] = {
    "curl": _curl,
    "nc": _nc,
    "nslookup": _nslookup,
    "ping": _ping,
    "redis-cli": _redis_cli,
    "wget": _wget,
}
