"""What the volumes of all pods and the disks of all hosts hold."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.containers.files import Contents

#: The key of a host's disk among the volumes begins with this; ``hostPath`` volumes are parts of it.
DISK: Final = "host:"
#: The key of a volume ends with this if nobody may change its files.
READ_ONLY: Final = "#ro"


class Volumes:
    """Volumes by their keys: ``<uid>/<name>`` lives as long as the pod, ``host:<name>`` is the disk of a host."""

    def __init__(self) -> None:
        self._contents: dict[str, Contents] = {}
        self._of_pod: dict[str, tuple[str, ...]] = {}
        #: Hosts on whose disks something was written, for their kubelet to read its manifests again.
        self.written: dict[str, None] = {}

    def fork(self) -> Volumes:
        """The same volumes, for a fork of the cluster."""
        twin = Volumes()
        twin._contents, twin._of_pod, twin.written = self._contents.copy(), self._of_pod.copy(), self.written.copy()
        return twin

    def read(self, key: str) -> Contents:
        """The files of a volume; none for one that nobody has written to."""
        return self._contents.get(key, {})

    def write(self, key: str, contents: Contents) -> None:
        """Keep the files of a volume, in place of those that it had."""
        uid, of_pod, _ = key.partition("/")
        if key.startswith(DISK):
            self.written[key.removeprefix(DISK)] = None
        elif of_pod and key not in self._contents:
            self._of_pod[uid] = (*self._of_pod.get(uid, ()), key)
        self._contents[key] = contents

    def add_to_disk(self, host: str, files: Contents) -> None:
        """Put files on the disk of a host, beside those that are there."""
        self.write(DISK + host, {**self.read(DISK + host), **files})

    def remove_of(self, uid: str) -> None:
        """Forget the volumes of a pod."""
        for key in self._of_pod.pop(uid, ()):
            del self._contents[key]

    def remove_disk(self, host: str) -> None:
        """Forget the disk of a host."""
        self._contents.pop(DISK + host, None)
