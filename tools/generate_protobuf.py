#!/usr/bin/env python3
"""Write the descriptors by which protobuf bodies are read, from the published files ``generated.proto`` of Kubernetes.

    pip install grpcio-tools
    python tools/generate_protobuf.py SOURCE

``SOURCE`` is an unpacked Kubernetes tree, or a folder that has ``k8s.io/api`` and ``k8s.io/apimachinery`` in it, such
as ``/usr/share/gocode/src`` after ``apt-get install golang-k8s-api-dev golang-k8s-apimachinery-dev`` (suite sid).

One ``FileDescriptorSet`` of all packages that requests may name, and of what they import, goes to
``autograder/controlplane/kube_apiserver/protobuf/descriptors.binpb``, without comments and options. Equal input gives
equal bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from generate_types import PACKAGES
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet
from grpc_tools import protoc

TARGET = Path(__file__).parents[1] / "autograder/controlplane/kube_apiserver/protobuf/descriptors.binpb"
UNKNOWN = "k8s.io/apimachinery/pkg/runtime"


def main() -> int:
    """Compile every file, write their descriptors; exit status 2 when that is not possible."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a Kubernetes tree, or a folder that holds k8s.io/api")
    source = parser.parse_args().source
    root = next((one for one in (source / "staging/src", source) if (one / UNKNOWN).is_dir()), None)
    if root is None:
        print(f"{source}: no {UNKNOWN} in it", file=sys.stderr)
        return 2
    files = sorted(f"{path}/generated.proto" for path in {UNKNOWN, *PACKAGES.values()})
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder, "descriptors")
        arguments = ["protoc", f"-I{root}", f"--descriptor_set_out={compiled}", "--include_imports", *files]
        if protoc.main(arguments):
            return 2
        descriptors = FileDescriptorSet.FromString(compiled.read_bytes())
    for file in descriptors.file:
        file.ClearField("options")
        for message in file.message_type:
            _strip(message)
    TARGET.write_bytes(descriptors.SerializeToString(deterministic=True))
    print(f"{len(descriptors.file)} files, {sum(len(file.message_type) for file in descriptors.file)} messages")
    return 0


def _strip(message: DescriptorProto) -> None:
    """Leave out the names of protobuf's own JSON, which is not that of Kubernetes."""
    for field in message.field:
        field.ClearField("json_name")
    for nested in message.nested_type:
        _strip(nested)


if __name__ == "__main__":
    sys.exit(main())
