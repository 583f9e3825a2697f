"""The two tables beside simulated files: ``truth.csv``, what people would say; ``known.csv``, what was put in.

``truth.csv`` is in the QuasarNET dialect of DESI visual inspection (algorithm.md 6), one line per object, doubtful
ones included; ``known.csv`` has one line per row of the coadds, sky fibres included, with true class and redshift.
"""

import math

import numpy as np

from qnet_tui.simulation.inspectors import N_INSPECTORS
from qnet_tui.simulation.native_grid import CAMERAS
from qnet_tui.simulation.petal import Petal
from qnet_tui.simulation.settings import SimulationSettings

TRUTH_NAME = "truth.csv"
KNOWN_NAME = "known.csv"

TRUTH_HEADER = (
    "TARGETID", "Redrock_z", "VI_Z", "VI_QUALITY", "Redrock_spectype", "VI_CLASS", "all_VI_issues", "all_VI_comments",
    "merger_comment", "N_VI", "HPXPIXEL", "SURVEY", "PROGRAM", "TSNR2_LYA", "TSNR2_QSO", "DELTACHI2", "ZWARN", "ZERR",
    "TARGET_RA", "TARGET_DEC", "FIBER", "FLUX_G", "FLUX_R", "FLUX_Z", "FIBERFLUX_G", "FIBERFLUX_R", "FIBERFLUX_Z",
    "EBV", "TILEID",
)  # fmt: skip

KNOWN_HEADER = (
    "FILE", "ROW", "TARGETID", "TILEID", "FIBER", "CLASS", "SUBCLASS", "Z", "BAL", "SNR", "LOST_ARM", "REPEAT",
)  # fmt: skip


def truth_rows(petal: Petal, settings: SimulationSettings) -> list[tuple[object, ...]]:
    """Lines of ``truth.csv`` for the targets that this petal is the first to observe."""
    things, found, said = petal.objects.table, petal.redrock, petal.inspection
    lines: list[tuple[object, ...]] = []
    for i in np.flatnonzero(_first_seen(petal) & (things["targetid"] > 0)):
        thing = things[i]
        fluxes = [f"{value:.4f}" for value in (*thing["flux"], *thing["fiberflux"])]
        lines.append((
            int(thing["targetid"]), f"{found.z[i]:.6f}", f"{said.z[i]:.5f}", f"{said.quality[i]:g}",
            str(found.spectral_class[i]), str(said.spectral_class[i]), str(said.issues[i]), str(said.remark[i]),
            "", N_INSPECTORS, "", settings.survey, settings.program, "", "", f"{found.deltachi2[i]:.3f}",
            int(found.zwarn[i]), f"{found.zerr[i]:.3e}", f"{thing['ra']:.6f}", f"{thing['dec']:.6f}",
            int(petal.fibre[i]), *fluxes, f"{thing['ebv']:.4f}", petal.tile,
        ))  # fmt: skip
    return lines


def known_rows(petal: Petal, coadd_name: str) -> list[tuple[object, ...]]:
    """Lines of ``known.csv`` for every row of the petal's coadd; Z is empty where there is no redshift."""
    things = petal.objects.table
    again = ~_first_seen(petal)
    lines: list[tuple[object, ...]] = []
    for i, thing in enumerate(things):
        z = float(thing["z"])
        lost = CAMERAS[int(petal.lost_arm[i])].name if petal.lost_arm[i] >= 0 else ""
        lines.append((
            coadd_name, i, int(thing["targetid"]), petal.tile, int(petal.fibre[i]), str(thing["spectral_class"]),
            str(thing["subclass"]), "" if math.isnan(z) else f"{z:.6f}", int(thing["bal"]), f"{petal.snr[i]:.3f}",
            lost, int(again[i]),
        ))  # fmt: skip
    return lines


def _first_seen(petal: Petal) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows are not repeats: a TARGETID names the tile that found the object; sky is always new."""
    identity = petal.objects.table["targetid"]
    first: np.ndarray[tuple[int], np.dtype[np.bool_]] = (identity < 0) | ((identity >> 22) % 2**20 == petal.tile)
    return first
