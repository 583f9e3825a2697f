"""Small truth tables written for tests."""

import gzip
from pathlib import Path
from typing import Any

import fitsio
import numpy as np


def write_csv(folder: Path, text: str, name: str = "truth.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode("utf-8"))
    return path


def write_fits(folder: Path, columns: dict[str, Any], name: str = "truth.fits", extname: str = "TRUTH") -> Path:
    path = folder / name
    arrays = [np.asarray(values) for values in columns.values()]
    fitsio.write(str(path), arrays, names=list(columns), extname=extname, clobber=True)
    return path


def zip_as(path: Path, name: str) -> Path:
    zipped = path.with_name(name)
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    return zipped
