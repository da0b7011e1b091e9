#!/usr/bin/env python3
"""Write the tables of API types that request bodies are decoded by, from Kubernetes' Go declarations.

    python tools/generate_types.py SOURCE

``SOURCE`` is an unpacked Kubernetes tree, or a folder that has ``k8s.io/api`` and ``k8s.io/apimachinery`` in it, such
as ``/usr/share/gocode/src`` after ``apt-get install golang-k8s-api-dev golang-k8s-apimachinery-dev``.

One file a group and version goes to ``autograder/controlplane/apimachinery/types``. In it:

* ``structs``: name -> fields in order, each ``[JSON name, Go type, option]``. The option is ``omitempty``,
  ``omitzero`` or empty; an embedded struct has no JSON name, and its option is the Go name of the field. A field that
  patches treat in a way of its own has three entries more: the patch strategy and the merge key of strategic merge
  patches, and for server-side apply ``atomic``, ``set`` or ``map:KEY,...`` (a list) or ``atomic`` (a map or struct).
* ``named``: other named types (enumerations, maps, lists) -> the type that they stand for.
* ``atomic``: the structs that server-side apply owns as a whole.

From a Kubernetes tree, ``internal.json`` is written as well: the unversioned types that some error messages print,
with the JSON name that each of their fields has in v1: ``[Go name, JSON name, type]``. The packages of libraries have
no such types; then the file stays as it is.

Types of other packages are written ``core/v1.Container``; those of the same package as well. Equal input gives equal
bytes, so that a rerun for a new version shows what changed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "autograder/controlplane/apimachinery/types"

PACKAGES = {
    "meta/v1": "k8s.io/apimachinery/pkg/apis/meta/v1",
    **{
        package: f"k8s.io/api/{package}"
        for package in (
            "admissionregistration/v1",
            "apps/v1",
            "authentication/v1",
            "authorization/v1",
            "autoscaling/v1",
            "autoscaling/v2",
            "batch/v1",
            "certificates/v1",
            "coordination/v1",
            "core/v1",
            "discovery/v1",
            "events/v1",
            "networking/v1",
            "node/v1",
            "policy/v1",
            "rbac/v1",
            "scheduling/v1",
            "storage/v1",
        )
    },
}
OTHER_PACKAGES = {
    "k8s.io/apimachinery/pkg/api/resource": "resource",
    "k8s.io/apimachinery/pkg/util/intstr": "intstr",
    "k8s.io/apimachinery/pkg/runtime": "runtime",
    "k8s.io/apimachinery/pkg/types": "types",
}
#: Types that read and write JSON by code of their own; the decoder knows them by name.
OWN_CODECS = frozenset({"meta/v1.Time", "meta/v1.MicroTime", "meta/v1.Duration", "meta/v1.FieldsV1"})
#: Unversioned types that error messages print, and in which package they and the v1 types of the same names are.
INTERNAL_ROOTS = ("core.PodTemplateSpec", "batch.PodFailurePolicy", "batch.SuccessPolicy")
INTERNAL_PACKAGES = {"core": "core/v1", "batch": "batch/v1"}
PRIMITIVES = frozenset({"string", "bool", "int", "int32", "int64", "uint8", "uint32", "uint64", "byte", "float64"})

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
IMPORT = re.compile(r'^\s*(?:import\s+)?(\w+)?\s*"([\w./-]+)"\s*$', re.MULTILINE)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^type (\w+) ((?!struct\b|interface\b|=)[\w.\[\]*]+)\s*$", re.MULTILINE)
FIELD = re.compile(r'^\s*(?:(\w+)\s+)?([\w.\[\]*]+)\s+`([^`]*?json:"([^"]*)"[^`]*)`\s*$', re.MULTILINE)
PATCH_TAG = re.compile(r'(patchStrategy|patchMergeKey):"([^"]*)"')
BARE_FIELD = re.compile(r"^[ \t]*(?:(\w+)[ \t]+)?([\w.\[\]*]+)[ \t]*$", re.MULTILINE)
MARKER = re.compile(r"^\s*//\s*\+(listType|listMapKey|mapType|structType)=(\w+)\s*$")
ATOMIC_STRUCT = re.compile(r"^// \+structType=atomic\n(?://[^\n]*\n)*type (\w+) struct", re.MULTILINE)
TYPE_NAME = re.compile(r"[A-Za-z_][\w.]*")


def main() -> int:
    """Read every package, write every table; exit status 2 when the source tree has no declarations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a Kubernetes tree, or a folder that holds k8s.io/api")
    source = parser.parse_args().source
    for package, go_path in PACKAGES.items():
        folder = next((root / go_path for root in (source / "staging/src", source) if (root / go_path).is_dir()), None)
        if folder is None:
            print(f"{source}: no {go_path} in it", file=sys.stderr)
            return 2
        table = read_package(package, folder)
        (TARGET / f"{package.replace('/', '.')}.json").write_text(rendered(table), encoding="utf-8")
        print(f"{package}: {len(table['structs'])} structs, {len(table['named'])} named types")
    if (source / "pkg/apis").is_dir():
        table = read_internal(source)
        (TARGET / "internal.json").write_text(rendered(table), encoding="utf-8")
        print(f"internal: {len(table['structs'])} structs")
    return 0


def read_package(package: str, folder: Path) -> dict[str, Any]:
    """The table of one package, from all files of it that declare types by hand."""
    structs: dict[str, list[list[str]]] = {}
    named: dict[str, str] = {}
    atomic: set[str] = set()
    for file in sorted(folder.glob("*.go")):
        if file.name.startswith(("zz_generated", "generated", "register")) or file.name.endswith("_test.go"):
            continue
        declared = file.read_text(encoding="utf-8")
        text = COMMENT.sub("", declared)
        imports = imported(text)
        atomic.update(ATOMIC_STRUCT.findall(declared))
        for name, body in STRUCT.findall(declared):
            if f"{package}.{name}" not in OWN_CODECS and (fields := read_fields(body, package, imports)):
                structs[name] = fields
        for name, target in NAMED.findall(text):
            named[name] = qualified(target, package, imports)
    return {
        "generated": "by tools/generate_types.py from the Go declarations of Kubernetes; do not edit",
        "structs": dict(sorted(structs.items())),
        "named": dict(sorted(named.items())),
        "atomic": sorted(atomic),
    }


def read_internal(source: Path) -> dict[str, Any]:
    """The unversioned types that the roots are made of."""
    structs: dict[str, list[list[str]]] = {}
    named: dict[str, str] = {}
    for package, versioned in INTERNAL_PACKAGES.items():
        text = COMMENT.sub("", (source / f"pkg/apis/{package}/types.go").read_text(encoding="utf-8"))
        imports = imported(text) | {"api": "core"}
        json_names = read_json_names(source / "staging/src" / PACKAGES[versioned])
        for name, body in STRUCT.findall(text):
            structs[f"{package}.{name}"] = [
                [
                    field,
                    json_names.get((name, field), field[:1].lower() + field[1:]),
                    qualified(go_type, package, imports),
                ]
                for field, go_type in BARE_FIELD.findall(body)
            ]
        named |= {f"{package}.{name}": qualified(target, package, imports) for name, target in NAMED.findall(text)}
    reached: dict[str, list[list[str]]] = {}
    waiting = list(INTERNAL_ROOTS)
    while waiting:
        name = waiting.pop()
        if name in structs and name not in reached:
            reached[name] = structs[name]
            waiting += [part for field in structs[name] for part in TYPE_NAME.findall(field[2])]
        elif name in named:
            waiting += TYPE_NAME.findall(named[name])
    used = {part for fields in reached.values() for field in fields for part in TYPE_NAME.findall(field[2])}
    return {
        "generated": "by tools/generate_types.py from the Go declarations of Kubernetes; do not edit",
        "structs": dict(sorted(reached.items())),
        "named": {name: target for name, target in sorted(named.items()) if name in used},
    }


def read_json_names(folder: Path) -> dict[tuple[str, str], str]:
    """The JSON name of each field of each struct: (struct, Go name) -> JSON name."""
    text = COMMENT.sub("", (folder / "types.go").read_text(encoding="utf-8"))
    return {
        (struct, name): tag.split(",")[0]
        for struct, body in STRUCT.findall(text)
        for name, _, _, tag in FIELD.findall(body)
        if name
    }


def imported(text: str) -> dict[str, str]:
    """The packages that a file imports: local name -> short package name."""
    known = {path: short for short, path in PACKAGES.items()} | OTHER_PACKAGES
    return {alias or path.rsplit("/", 1)[-1]: known[path] for alias, path in IMPORT.findall(text) if path in known}


def read_fields(body: str, package: str, imports: dict[str, str]) -> list[list[str]]:
    """The fields of one struct as ``[JSON name, Go type, option]``, or with patch strategy and merge key."""
    fields = []
    markers: list[tuple[str, str]] = []
    for line in body.splitlines():
        if marker := MARKER.match(line):
            markers.append((marker[1], marker[2]))
        found = FIELD.match(line.split("` //")[0] + "`" if "` //" in line else line)
        if found is None:
            continue
        name, go_type, tags, tag = found.groups(default="")
        owned, markers = ownership(markers), []
        json_name, *options = tag.split(",")
        patch = dict(PATCH_TAG.findall(tags))
        if json_name == "-":
            continue
        full = qualified(go_type, package, imports)
        if "inline" in options or (not name and not json_name):
            fields.append(["", full, name or go_type.rpartition(".")[2]])
        else:
            option = next((o for o in ("omitzero", "omitempty") if o in options), "")
            how = [patch.get("patchStrategy", ""), patch.get("patchMergeKey", ""), owned]
            fields.append([json_name, full, option, *(how if any(how) else [])])
    return fields


def ownership(markers: list[tuple[str, str]]) -> str:
    """How server-side apply owns a field: ``atomic``, ``set``, ``map:KEY,...``, or empty for the type's own way."""
    keys = ",".join(value for marker, value in markers if marker == "listMapKey")
    for marker, value in markers:
        if marker == "listType":
            return f"map:{keys}" if value == "map" else value
        if value == "atomic":
            return value
    return ""


def qualified(go_type: str, package: str, imports: dict[str, str]) -> str:
    """The Go type with every name in it given its package."""

    def replace(match: re.Match[str]) -> str:
        name = match[0]
        if name in PRIMITIVES or name == "map":
            return name
        alias, _, rest = name.rpartition(".")
        return f"{imports.get(alias, alias) if alias else package}.{rest}"

    return TYPE_NAME.sub(replace, go_type)


def rendered(table: dict[str, Any]) -> str:
    """JSON with one type a line, which is short and still easy to compare."""

    def section(entries: dict[str, Any]) -> str:
        lines = (f"  {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in entries.items())
        return "{\n" + ",\n".join(lines) + "\n }" if entries else "{}"

    return (
        f'{{"generated": {json.dumps(table["generated"])},\n "structs": {section(table["structs"])},\n'
        f' "named": {section(table["named"])},\n "atomic": {json.dumps(table.get("atomic", []))}}}\n'
    )


if __name__ == "__main__":
    sys.exit(main())
