"""The programs that images are for (nginx, redis-server, pause, ...), and those that talk over the network."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Applet, Call, Exec, Outcome, Serve, Sleep
from autograder.controlplane.containers.etcdctl import etcdctl
from autograder.controlplane.containers.network import Answer, NetworkError, NoNameServer, Refused, TimedOut, Unresolved
from autograder.controlplane.containers.records import Listener
from autograder.controlplane.containers.servers import REASONS

TERMINATES: Final = frozenset({"TERM", "QUIT", "INT"})
_LISTEN: Final = re.compile(r"^\s*listen\s+(?:\[::\]:|[\d.]+:)?(\d+)[^;]*;", re.M)
_ROOT: Final = re.compile(r"^\s*root\s+([^;\s]+)\s*;", re.M)
_TIMEOUT: Final = 5.0


def _nginx(call: Call) -> Outcome:
    """nginx: reads its configuration for ports and root; without ``daemon off`` it leaves the foreground at once."""
    args = " ".join(call.args)
    if "-s" in call.args or "-v" in call.args or "-t" in call.args:
        if "-s" in call.args:
            call.system.signal(1, {"reload": "HUP"}.get(call.args[-1], "TERM"))
        else:
            call.err("nginx version: nginx/1.27.5\n")
        return 0
    if "daemon off" not in args:
        return 0
    files = call.system.files
    configured = [files.read(path) for path in files.files_below("/etc/nginx/conf.d") if path.endswith(".conf")]
    ports = [int(port) for text in configured for port in _LISTEN.findall(text)] or [80]
    roots = [root for text in configured for root in _ROOT.findall(text)] or ["/usr/share/nginx/html"]
    return Serve(tuple(Listener(port, "nginx", roots[0]) for port in dict.fromkeys(ports)), TERMINATES)


def _httpd(call: Call) -> Outcome:
    """BusyBox's httpd: ``httpd -f -p PORT -h ROOT``; without ``-f`` it leaves the foreground."""
    args = list(call.args)
    port, root, foreground = 80, call.shell.cwd, False
    while args:
        flag = args.pop(0)
        if flag.startswith("-p"):
            value = flag[2:] or (args.pop(0) if args else "80")
            port = int(value.rpartition(":")[2]) if value.rpartition(":")[2].isdigit() else 80
        elif flag.startswith("-h"):
            root = call.path(flag[2:] or (args.pop(0) if args else "."))
        else:
            foreground = foreground or "f" in flag
    return Serve((Listener(port, "files", root),)) if foreground else 0


def _serves(kind: str, *, exit_status: int = 0) -> Applet:
    """The program of an image that serves on the image's port until it is told to stop."""

    def applet(call: Call) -> Outcome:
        image = call.system.container.image
        listeners = (
            (Listener(image.port, kind, (image.files and "/usr/local/apache2/htdocs") or ""),) if image.port else ()
        )
        return Serve(listeners, TERMINATES, handle_status=exit_status)

    return applet


def _entrypoint(call: Call) -> Outcome:
    """The entrypoint scripts of images: they end by running their arguments."""
    return Exec(call.args) if call.args else 0


def _http_echo(call: Call) -> Outcome:
    values = {"text": "hello-world", "listen": ":5678"}
    words = iter(call.args)
    for word in words:
        name, given, value = word.lstrip("-").partition("=")
        values[name] = value if given else next(words, "")
    port = values["listen"].rpartition(":")[2]
    return Serve((Listener(int(port) if port.isdigit() else 5678, "http-echo", values["text"]),), TERMINATES)


def _agnhost(call: Call) -> Outcome:
    mode = call.args[0] if call.args else "pause"
    if mode == "pause":
        return Serve((), TERMINATES)
    port = re.search(r"--(?:http-)?port[= ](\d+)", " ".join(call.args))
    default = 9376 if mode == "serve-hostname" else 8080
    return Serve((Listener(int(port[1]) if port else default, "agnhost", mode),), TERMINATES)


def _whoami(call: Call) -> Outcome:
    if call.system.container.image.server != "whoami":
        user = call.system.container.user
        call.out("root\n" if user == 0 else f"whoami: unknown uid {user}\n")
        return 0
    port = re.search(r"--?port[= ](\d+)", " ".join(call.args))
    return Serve((Listener(int(port[1]) if port else 80, "whoami"),), TERMINATES)


def _python(call: Call) -> Outcome:
    """Only ``python -m http.server [PORT]`` is simulated."""
    args = " ".join(call.args)
    match = re.search(r"-m http\.server(?:\s+(\d+))?", args)
    if match:
        directory = re.search(r"(?:-d|--directory)[= ](\S+)", args)
        root = call.path(directory[1]) if directory else call.shell.cwd
        return Serve((Listener(int(match[1] or 8000), "files", root),))
    if not call.args:
        return 0
    return call.fail("only `-m http.server` is simulated")


def _perl(call: Call) -> Outcome:
    """The digits of pi, as the Job of the Kubernetes documentation computes them."""
    match = re.search(r"bpi\((\d+)\)", " ".join(call.args))
    if not match:
        return call.fail("only `print bpi(N)` is simulated")
    digits = _pi(min(int(match[1]), 2000))
    call.out(f"3.{digits[1:]}")
    return Sleep(5 * SECOND)


def _pi(count: int) -> str:
    """The first decimal digits of pi (Machin's formula, with ten guard digits)."""
    unit = 10 ** (count + 10)

    def arctan(inverse: int) -> int:
        total = term = unit // inverse
        divisor, sign = 3, -1
        while term:
            term //= inverse * inverse
            total += sign * (term // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    return str(4 * (4 * arctan(5) - arctan(239)))[:count]


def _stress(call: Call) -> Outcome:
    """``stress --vm N --vm-bytes SIZE``: holds so much memory; a container whose limit is less is killed."""
    words = " ".join(call.args)
    size = re.search(r"--vm-bytes[= ](\d+)([KMG]?)", words)
    workers = re.search(r"(?:--vm|-m)[= ](\d+)", words)
    memory = int(size[1]) * 1024 ** " KMG".index(size[2] or " ") if size else 256 * 1024**2
    call.out("stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n")
    timeout = re.search(r"(?:--timeout|-t)[= ](\d+)", words)
    total = memory * int(workers[1]) if workers else 0
    if timeout and not (0 < call.system.container.memory_limit < total):
        return Sleep(int(timeout[1]) * SECOND)
    return Serve((), frozenset({"TERM", "INT"}), memory=total, handle_status=143)


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


def _wget(call: Call) -> Outcome:
    args = list(call.args)
    quiet, output, timeout, url, spider = False, "", 900.0, "", False
    headers: dict[str, str] = {}
    while args:
        arg = args.pop(0)
        if arg in ("--spider",):
            spider = True
        elif arg.startswith("--timeout="):
            timeout = float(arg.partition("=")[2] or 900)
        elif arg.startswith("--header"):
            name, _, value = (arg.partition("=")[2] or (args.pop(0) if args else "")).partition(":")
            headers[name] = value.strip()
        elif arg.startswith("-") and not arg.startswith("--"):
            flags = arg[1:]
            while flags:
                flag, flags = flags[0], flags[1:]
                if flag == "q":
                    quiet = True
                elif flag in "OT":
                    value = flags or (args.pop(0) if args else "")
                    flags = ""
                    output = value if flag == "O" else output
                    timeout = _seconds(value, timeout) if flag == "T" else timeout
        elif not arg.startswith("-"):
            url = arg
    if not url:
        return call.fail("missing URL")
    try:
        answer = call.system.request(url, headers=headers | {"User-Agent": "Wget"}, timeout=timeout)
    except (Unresolved, NoNameServer) as error:
        return call.fail(str(error))
    except TimedOut:
        call.fail("download timed out")
        return Sleep(int(min(timeout, 130) * SECOND), 1)
    except NetworkError as error:
        host = re.sub(r"^\w+://", "", url).partition("/")[0]
        host = host.partition(":")[0]
        address = call.system.resolve(host)[-1]
        return call.fail(f"can't connect to remote host ({address}): {error}")
    if answer.status >= 400:
        call.err(f"wget: server returned error: HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}\n")
        return 1
    if spider:
        return 0
    if output == "-":
        call.out(answer.body)
    else:
        name = output or url.rstrip("/").rpartition("/")[2] or "index.html"
        name = name if output or "/" in re.sub(r"^\w+://", "", url).rstrip("/") else "index.html"
        call.system.files.write(call.path(name), answer.body)
        if not quiet:
            call.err(f"saving to '{name}'\n'{name}' saved\n")
    return 0


def _seconds(text: str, otherwise: float) -> float:
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else otherwise


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
    limit = _seconds(options.get("-m", options.get("--max-time", options.get("--connect-timeout", ""))), 130.0)
    return Sleep(int(limit * SECOND), 28) if status == 28 else status


def _fetch(call: Call, url: str, options: dict[str, str], headers: dict[str, str]) -> int:
    """One transfer of curl; gives its exit status."""
    quiet = ("-s" in options or "--silent" in options) and "-S" not in options
    limit = _seconds(options.get("-m", options.get("--max-time", options.get("--connect-timeout", ""))), 130.0)
    host = re.sub(r"^\w+://", "", url).partition("/")[0]
    name, _, port = host.partition(":")
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
        port = next((arg for arg in args if arg.isdigit()), "0")
        return Serve((Listener(int(port), "tcp"),))
    if len(args) < 2 or not args[-1].isdigit():
        return call.fail("bad arguments")
    try:
        call.system.request(f"tcp://{args[-2]}:{args[-1]}", headers={}, timeout=_TIMEOUT)
    except TimedOut as error:
        call.fail(f"{args[-2]} ({args[-2]}:{args[-1]}): {error}")
        return Sleep(int(_TIMEOUT * SECOND), 1)
    except NetworkError as error:
        return call.fail(f"{args[-2]} ({args[-2]}:{args[-1]}): {error}")
    if "v" in flags:
        call.err(f"{args[-2]} ({args[-2]}:{args[-1]}) open\n")
    return 0


def _redis_cli(call: Call) -> Outcome:
    call.out("PONG\n" if [arg.lower() for arg in call.args][-1:] == ["ping"] else "OK\n")
    return 0


def _stands_for(*ports: int) -> Applet:
    """A program of the control plane: what it does, its component does; here it only says that it is healthy."""
    return lambda call: Serve(tuple(Listener(port, "healthz") for port in ports), TERMINATES)


PROGRAMS: Final[dict[str, Callable[[Call], Outcome]]] = {
    "agnhost": _agnhost,
    "coredns": _stands_for(53, 8080, 8181, 9153),
    "curl": _curl,
    "docker-entrypoint.sh": _entrypoint,
    "entrypoint.sh": _entrypoint,
    "etcd": _stands_for(2379, 2380, 2381),
    "etcdctl": etcdctl,
    "hello-app": _serves("hello-app"),
    "http-echo": _http_echo,
    "httpd": _httpd,
    "httpd-foreground": _serves("httpd"),
    "kube-apiserver": _stands_for(6443),
    "kube-controller-manager": _stands_for(10257),
    "kube-proxy": _stands_for(10249, 10256),
    "kube-scheduler": _stands_for(10259),
    "memcached": _serves("tcp"),
    "mongod": _serves("tcp"),
    "mysqld": _serves("tcp"),
    "nc": _nc,
    "nginx": _nginx,
    "nslookup": _nslookup,
    "pause": _stands_for(),
    "perl": _perl,
    "ping": _ping,
    "postgres": _serves("tcp"),
    "python": _python,
    "python3": _python,
    "redis-cli": _redis_cli,
    "redis-server": _serves("tcp"),
    "stress": _stress,
    "wget": _wget,
    "whoami": _whoami,
}
