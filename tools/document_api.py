"""Writes ``docs/api-support.md``: what of the Kubernetes API is supported, per kind and verb, read off the code.

python tools/document_api.py            writes the file
python tools/document_api.py --check    exits with 1 when it is out of date
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from autograder.controlplane.apimachinery.scheme import (
    ALL_VERBS,
    NOT_SERVED,
    SERVED,
    SUBRESOURCES_NOT_SERVED,
    ResourceType,
    subresource_verbs,
)
from autograder.controlplane.kube_apiserver.patching import APPLY_PATCH, PATCH_TYPES
from autograder.controlplane.kube_apiserver.registry.strategy import field_labels
from autograder.controlplane.kube_apiserver.tables import column_names

TARGET = Path(__file__).resolve().parent.parent / "docs" / "api-support.md"

HEAD = """\
# What of the Kubernetes API is supported

Made by `python tools/document_api.py` from the tables that the API server itself works with; do not edit.

The embedded cluster is Kubernetes v1.36.2. A kind, verb or subresource that stands in the tables below answers as
there. What Kubernetes v1.36 has and the embedded cluster does not answers `501` with a `Status` of reason
`NotImplemented` that says so; what neither has answers `404`, and a verb that a kind does not have `405`. Nothing that
is not supported succeeds silently.
"""

READING = """\
## Reading

* Every kind with `list` and `watch` takes label selectors, the field selectors `metadata.name` and
  `metadata.namespace` and those named in its row, `limit` and `continue`, `resourceVersion` and
  `resourceVersionMatch`, bookmarks, and `sendInitialEvents`. History older than five to ten minutes answers `410`.
* Every kind can be had as JSON and YAML, as a `Table` (with the columns in its row) and as `PartialObjectMetadata`.
  Answers in protobuf are not made; a client that accepts nothing else gets `406`.
"""


CONNECTING = """\
## Logs, commands and terminals

* `log` with `follow`, `previous`, `tailLines`, `sinceSeconds`, `sinceTime`, `limitBytes` and `timestamps`.
* `exec` and `attach` over websockets (`v5.channel.k8s.io`, `v4`), which kubectl and the Python client try first; over
  SPDY they are refused. A command runs at once and prints when it has ended; a shell with a terminal (`exec -it`)
  answers each line, and a container with `stdin: true` reads what an attached client types.
* `ephemeralcontainers` (`kubectl debug`) and `resize`, which the kubelet does in place when the node has room.
* `portforward` over websockets (`SPDY/3.1+portforward.k8s.io`), as `kubectl port-forward` asks for it first: to the
  programs of containers that speak HTTP. Of others, such as a database, a connection is made and closed at the first
  word.
"""


def render() -> str:
    """The whole document."""
    parts = [HEAD, "## Kinds\n"]
    for api_version, rows in groupby(sorted(SERVED, key=lambda row: row.group), key=lambda row: row.api_version):
        parts.append(f"### `{api_version}`\n")
        parts.append(_table(rows))
    parts.append(READING)
    parts.append(_writing())
    parts.append(CONNECTING)
    parts.append(_not_supported())
    return "\n".join(parts)


def _table(rows: Iterable[ResourceType]) -> str:
    lines = [
        "| kind | path | verbs | subresources | columns | field selectors |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def _row(row: ResourceType) -> str:
    cells = [row.kind, f"`{_path(row)}`", _verbs(row), _subresources(row)]
    if "list" in row.verbs:
        labels = [name for name in field_labels(row).names if not name.startswith("metadata.")]
        cells += [", ".join(column_names(row)), " ".join(f"`{name}`" for name in sorted(labels))]
    else:
        cells += ["", ""]
    return "| " + " | ".join(cells) + " |"


def _path(row: ResourceType) -> str:
    return f"{row.root}/{'namespaces/*/' if row.namespaced else ''}{row.plural}"


def _verbs(row: ResourceType) -> str:
    missing = [verb for verb in ALL_VERBS if verb not in row.verbs]
    if not missing:
        return "all"
    return ", ".join(row.verbs) if len(row.verbs) < len(missing) else f"all but {', '.join(missing)}"


def _subresources(row: ResourceType) -> str:
    return "; ".join(f"{name} ({', '.join(subresource_verbs(name))})" for name in row.subresources)


def _writing() -> str:
    types = "\n".join(f"  * `{name}`" for name in (*PATCH_TYPES, APPLY_PATCH))
    return f"""\
## Writing

* Bodies are read as JSON, YAML and protobuf, with `fieldValidation` and `dryRun=All`.
* Clients are told in `Warning` headers of what is deprecated, ignored or ambiguous in what they write, and of unknown
  fields.
* Every kind with `patch` takes:
{types} (server-side apply, with field managers, conflicts and force)
* The labels `pod-security.kubernetes.io/enforce`, `warn` and `audit` of namespaces, with their versions, hold pods to
  the Pod Security Standards: `enforce` refuses them, `warn` warns of pods and workloads; there is no audit log.
* Deletion knows preconditions, grace periods and the propagation policies `Background`, `Foreground` and `Orphan`.
"""


def _not_supported() -> str:
    lines = ["## What answers 501\n", "| group and version | resources |", "| --- | --- |"]
    for (group, version), plurals in NOT_SERVED.items():
        lines.append(f"| `{group + '/' if group else ''}{version}` | {', '.join(plurals)} |")
    lines += ["", "| resource | subresources |", "| --- | --- |"]
    lines += [f"| {plural} | {', '.join(names)} |" for plural, names in SUBRESOURCES_NOT_SERVED.items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the document, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the document is up to date")
    if parser.parse_args().check:
        return int(TARGET.read_text(encoding="utf-8") != render())
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
