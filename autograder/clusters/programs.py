"""Where programs are looked for."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def on_path(name: str) -> str | None:
    """A program on PATH or in the folder of this Python, where pip and conda put programs; None if it is not there."""
    places = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{Path(sys.executable).parent}"
    return shutil.which(name, path=places)
