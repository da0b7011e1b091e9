"""What a container sees as its file system: the image, what was written over it, and the volumes mounted in it.

Files are text.  A directory exists because something lies in it, or because it was made (kept as ``<path>/``).  A file
of the image that was removed is kept as None.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from autograder.controlplane.containers.records import MAX_FILES_SIZE, Container, Mount

Contents = Mapping[str, str | None]

_DIRECTORIES: Final = ("/bin", "/dev", "/etc", "/home", "/proc", "/root", "/sys", "/tmp", "/usr", "/var", "/var/log",
                       "/var/run", "/var/tmp", "/mnt", "/opt", "/run", "/srv")  # fmt: skip


class FileError(Exception):
    """A file operation that failed; the message is the one of the C library."""


class Disk(Protocol):
    """Where volumes and the written files of containers are kept."""

    def volume(self, key: str) -> Contents: ...

    def set_volume(self, key: str, contents: Contents) -> None: ...

    def layer(self, container_id: str) -> Contents: ...

    def set_layer(self, container_id: str, contents: Contents) -> None: ...


class FileView:
    """The files of one container, by absolute path."""

    def __init__(self, disk: Disk, container: Container) -> None:
        self._disk = disk
        self._container = container
        self._mounts = sorted(container.mounts, key=lambda mount: -len(mount.path))

    def absolute(self, path: str, cwd: str = "/") -> str:
        """The normal form of a path."""
        joined = posixpath.normpath(posixpath.join(cwd, path))
        return "/" + joined.lstrip("/")

    def read(self, path: str) -> str:
        """The text of a file; raises ``FileError``."""
        found = self._find(path)
        if found is None:
            if self.is_directory(path):
                raise FileError("Is a directory")
            raise FileError("No such file or directory")
        return found

    def exists(self, path: str) -> bool:
        return self._find(path) is not None or self.is_directory(path)

    def is_file(self, path: str) -> bool:
        return self._find(path) is not None

    def is_directory(self, path: str) -> bool:
        """Whether something lies in a path, or it was made, or it is one that every image has."""
        if path == "/" or path in _DIRECTORIES:
            return True
        inside = path + "/"
        return any(known.startswith(inside) for known in self._names()) or any(
            mount.path == path and self._mounted_file(mount) is None for mount in self._mounts
        )

    def write(self, path: str, text: str, *, append: bool = False) -> None:
        """Create or change a file; raises ``FileError``."""
        if path.startswith("/dev/"):
            return
        if self.is_directory(path):
            raise FileError("Is a directory")
        if not self.is_directory(posixpath.dirname(path)):
            raise FileError("nonexistent directory")
        before = (self._find(path) or "") if append else ""
        self._put(path, before + text)

    def make_directory(self, path: str, *, parents: bool = False) -> None:
        """Make a directory, with those above it if ``parents``; raises ``FileError``."""
        if self.exists(path):
            if parents and self.is_directory(path):
                return
            raise FileError("File exists")
        parent = posixpath.dirname(path)
        if not self.is_directory(parent):
            if not parents:
                raise FileError("No such file or directory")
            self.make_directory(parent, parents=True)
        self._put(path + "/", "")

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file, or with ``recursive`` a directory; raises ``FileError``."""
        if self._find(path) is not None:
            self._put(path, None)
        elif self.is_directory(path):
            if not recursive:
                raise FileError("Is a directory")
            for name in [name for name in self._names() if name.startswith(path + "/")]:
                self._put(name, None)
        else:
            raise FileError("No such file or directory")

    def listing(self, path: str) -> list[str]:
        """The names in a directory, sorted; raises ``FileError``."""
        if not self.is_directory(path):
            if self.is_file(path):
                return [path]
            raise FileError("No such file or directory")
        inside = path.rstrip("/") + "/"
        known = [*self._names(), *(directory + "/" for directory in _DIRECTORIES), *(m.path for m in self._mounts)]
        names = {name[len(inside) :].partition("/")[0] for name in known if name.startswith(inside)}
        return sorted(names - {""})

    def files_below(self, path: str) -> list[str]:
        """The paths of all files below a directory, sorted."""
        inside = path.rstrip("/") + "/"
        return sorted(name for name in self._names() if name.startswith(inside) and not name.endswith("/"))

    def is_writable(self, path: str) -> bool:
        mount = self._mount_of(path)
        return not (mount.read_only if mount else self._container.read_only_root)

    def _find(self, path: str) -> str | None:
        mount = self._mount_of(path)
        if mount:
            return self._disk.volume(mount.volume).get(_inside(mount, path))
        layer = self._disk.layer(self._container.id)
        if path in layer:
            return layer[path]
        return self._generated(path) or self._container.image.files.get(path)

    def _generated(self, path: str) -> str | None:
        """The files that the runtime itself puts into every container."""
        if path == "/etc/hostname":
            return self._container.hostname + "\n"
        if path == "/dev/null":
            return ""
        return None

    def _put(self, path: str, text: str | None) -> None:
        if not self.is_writable(path):
            raise FileError("Read-only file system")
        mount = self._mount_of(path)
        contents = self._disk.volume(mount.volume) if mount else self._disk.layer(self._container.id)
        name = _inside(mount, path) if mount else path
        changed = dict(contents)
        if text is None and (mount or path not in self._container.image.files):
            changed.pop(name, None)
        else:
            changed[name] = text
        if sum(len(known) + len(held or "") for known, held in changed.items()) > MAX_FILES_SIZE:
            raise FileError("No space left on device")
        if mount:
            self._disk.set_volume(mount.volume, changed)
        else:
            self._disk.set_layer(self._container.id, changed)

    def _mount_of(self, path: str) -> Mount | None:
        for mount in self._mounts:
            if path == mount.path or path.startswith(mount.path.rstrip("/") + "/"):
                return mount
        return None

    def _mounted_file(self, mount: Mount) -> str | None:
        return self._disk.volume(mount.volume).get("/" + mount.sub_path) if mount.sub_path else None

    def _names(self) -> Iterator[str]:
        """The paths of all files (and of made directories, with a slash at the end)."""
        layer = self._disk.layer(self._container.id)
        yield from (name for name, text in layer.items() if text is not None and not self._mount_of(name))
        yield from (name for name in self._container.image.files if name not in layer and not self._mount_of(name))
        for mount in self._mounts:
            start = "/" + mount.sub_path if mount.sub_path else ""
            for name, text in self._disk.volume(mount.volume).items():
                if text is not None and (name == start or name.startswith(start + "/")):
                    yield mount.path.rstrip("/") + name[len(start) :]


def _inside(mount: Mount, path: str) -> str:
    """The path within the volume."""
    rest = path[len(mount.path.rstrip("/")) :]
    return ("/" + mount.sub_path if mount.sub_path else "") + rest or "/"
