"""Files that are there whole or not at all, also after a kill or a power cut: drafted, synced, moved into place."""

from __future__ import annotations

import os
from pathlib import Path

DRAFT = ".draft"
"""How the name of an unfinished file or folder ends; what is left of one is swept when the run goes on."""


def move(draft: Path, target: Path) -> None:
    """Put a file into its place, on the disk before it is to be seen there."""
    sync_file(draft)
    os.replace(draft, target)
    sync_folder(target.parent)


def sync_file(path: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    if os.name == "nt":
        return  # Windows has no such call
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
