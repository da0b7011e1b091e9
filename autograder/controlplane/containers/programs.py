"""The programs that images are for: nginx, redis-server, pause, and those of the control plane."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from autograder.controlplane.apimachinery import integers
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.calls import Applet, Call, Exec, Outcome, Serve, Sleep
from autograder.controlplane.containers.etcdctl import etcdctl
from autograder.controlplane.containers.records import Listener

TERMINATES: Final = frozenset({"TERM", "QUIT", "INT"})
_LISTEN: Final = re.compile(r"^\s*listen\s+(?:\[::\]:|[\d.]+:)?(\d{1,5})\b[^;]*;", re.M)
_ROOT: Final = re.compile(r"^\s*root\s+([^;\s]+)\s*;", re.M)


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
            port = integers.read(value.rpartition(":")[2]) or 80
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
    port = integers.read(values["listen"].rpartition(":")[2]) or 5678
    return Serve((Listener(port, "http-echo", values["text"]),), TERMINATES)


def _agnhost(call: Call) -> Outcome:
    mode = call.args[0] if call.args else "pause"
    if mode == "pause":
        return Serve((), TERMINATES)
    port = re.search(r"--(?:http-)?port[= ](\d{1,5})\b", " ".join(call.args))
    default = 9376 if mode == "serve-hostname" else 8080
    return Serve((Listener(int(port[1]) if port else default, "agnhost", mode),), TERMINATES)


def _whoami(call: Call) -> Outcome:
    if call.system.container.image.server != "whoami":
        user = call.system.container.user
        call.out("root\n" if user == 0 else f"whoami: unknown uid {user}\n")
        return 0
    port = re.search(r"--?port[= ](\d{1,5})\b", " ".join(call.args))
    return Serve((Listener(int(port[1]) if port else 80, "whoami"),), TERMINATES)


def _python(call: Call) -> Outcome:
    """Only ``python -m http.server [PORT]`` is simulated."""
    args = " ".join(call.args)
    match = re.search(r"-m http\.server(?:\s+(\d{1,5})\b)?", args)
    if match:
        directory = re.search(r"(?:-d|--directory)[= ](\S+)", args)
        root = call.path(directory[1]) if directory else call.shell.cwd
        return Serve((Listener(int(match[1] or 8000), "files", root),))
    if not call.args:
        return 0
    return call.fail("only `-m http.server` is simulated")


def _perl(call: Call) -> Outcome:
    """The digits of pi, as the Job of the Kubernetes documentation computes them."""
    match = re.search(r"bpi\((\d{1,9})\)", " ".join(call.args))
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
    size = re.search(r"--vm-bytes[= ](\d{1,15})([KMG]?)", words)
    workers = re.search(r"(?:--vm|-m)[= ](\d{1,9})", words)
    memory = int(size[1]) * 1024 ** " KMG".index(size[2] or " ") if size else 256 * 1024**2
    call.out("stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n")
    timeout = re.search(r"(?:--timeout|-t)[= ](\d{1,9})", words)
    total = memory * int(workers[1]) if workers else 0
    if timeout and not (0 < call.system.container.memory_limit < total):
        return Sleep(int(timeout[1]) * SECOND)
    return Serve((), frozenset({"TERM", "INT"}), memory=total, handle_status=143)


def _stands_for(*ports: int) -> Applet:
    """A program of the control plane: what it does, its component does; here it only says that it is healthy."""
    return lambda call: Serve(tuple(Listener(port, "healthz") for port in ports), TERMINATES)


PROGRAMS: Final[dict[str, Callable[[Call], Outcome]]] = {
    "agnhost": _agnhost,
    "coredns": _stands_for(53, 8080, 8181, 9153),
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
    "nginx": _nginx,
    "pause": _stands_for(),
    "perl": _perl,
    "postgres": _serves("tcp"),
    "python": _python,
    "python3": _python,
    "redis-server": _serves("tcp"),
    "stress": _stress,
    "whoami": _whoami,
}
