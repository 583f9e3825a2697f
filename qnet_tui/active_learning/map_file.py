"""A trained map as one .npz file, written under another name and renamed: it is whole or not there."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from qnet_tui.active_learning.outlier_map import MapSettings, OutlierMap
from qnet_tui.errors import BadInput
from qnet_tui.whole_files import whole_file

FORMAT = 2
ONE_BY_ONE = {"engine": "minisom", "starts": 1}
"""What a file of format 1 does not say of its map's settings: there was no other way to train one."""


def save_map(path: Path, som: OutlierMap) -> None:
    """Write ``weights`` and, as JSON, all that is known of the map (format 2). QnetError when it cannot be."""
    about = {
        "format": FORMAT,
        "settings": asdict(som.settings),
        "trained_on": som.trained_on,
        "quantization_error": som.quantization_error,
        "topographic_error": som.topographic_error,
        "torus_topographic_error": som.torus_topographic_error,
    }
    with whole_file(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, weights=som.weights, about=np.array(json.dumps(about)))


def load_map(path: Path) -> OutlierMap:
    """Read what :func:`save_map` wrote, also in format 1. Raises BadInput when it is absent, torn or something else."""
    try:
        with np.load(path, allow_pickle=False) as z:
            weights, about = z["weights"], json.loads(str(z["about"]))
        written = about.pop("format")
        if written not in (1, FORMAT):
            raise BadInput("map of another format", file=path, mend="update the program")
        settings = MapSettings(**(ONE_BY_ONE if written == 1 else {}) | about.pop("settings"))
        som = OutlierMap(weights=weights, settings=settings, **about)
    except FileNotFoundError:
        raise BadInput("no map", file=path, mend="run the round's map again") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as e:
        raise BadInput(f"not a map file ({e})", file=path, mend="run the round's map again") from None
    if weights.ndim != 2 or len(weights) != settings.side**2 or weights.dtype != np.float64:
        raise BadInput("the weights do not fit the map", file=path, mend="run the round's map again")
    return som
