"""Summaries of big tables that are computed once and kept beside them, so that a tab opens as fast as on a small one.

A summary of millions of scored rows is some kilobytes: ``<folder>/review/<name>.npz``, with the fingerprint of what it
was made from. Nothing else depends on these files; whoever removes them only waits once more.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import StorageError
from storage.files import durable_stream, make_directory

FOLDER = "review"
_MARK = "fingerprint"

Arrays = dict[str, NDArray[Any]]


def kept(files_or_folder: Path, name: str, fingerprint: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that ``make`` returns, from ``<folder>/review/<name>.npz`` where these are of the same fingerprint.

    ``files_or_folder`` is the folder of what was summarised, or a file in it. ``make`` returns arrays of numbers, flags
    or text by name; it is called where nothing is kept, what is kept is of another fingerprint, or the file is damaged.
    Where the folder cannot be written the summary is returned and not kept. Errors are those of ``make``.
    """
    folder = files_or_folder if files_or_folder.is_dir() else files_or_folder.parent
    path = folder / FOLDER / f"{name}.npz"
    found = _read(path, fingerprint)
    if found is not None:
        return found
    made = make()
    if _MARK in made:
        raise ValueError(f"no array of a summary may be called {_MARK}")
    try:
        make_directory(path.parent)
        with durable_stream(path) as stream:
            np.savez(stream, allow_pickle=False, **made, **{_MARK: np.array(fingerprint)})
    except (OSError, StorageError):
        # A colleague who may only read, a full disk: the figures are right all the same.
        pass
    return made


def fingerprint_of(*parts: Path | str) -> str:
    """A fingerprint, 32 hex, of words and of files (their size and time of change; an absent one counts as absent)."""
    said = []
    for part in parts:
        if isinstance(part, str):
            said.append(part)
            continue
        try:
            facts = part.stat()
        except OSError:
            said.append("absent")
        else:
            said.append(f"{facts.st_size} {facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]


def _read(path: Path, fingerprint: str) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored[_MARK]) != fingerprint:
                return None
            return {name: stored[name] for name in stored.files if name != _MARK}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
