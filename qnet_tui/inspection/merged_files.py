"""Settled labels in the two forms in which DESI passes them on.

``desi-merged``: the merged file of a set of inspections, its first ten columns always, those of redrock and the
target that are known here after them (fibre fluxes are not, and are left out rather than invented). ``edr``: the
value-added catalogue of the Early Data Release. Neither ever holds the 999 that merge scripts write for "not decided".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qnet_tui.inspection.csv_text import csv_text, one_line

MERGED_COLUMNS = (
    "TARGETID", "Redrock_z", "best_z", "best_quality", "Redrock_spectype", "best_spectype", "all_VI_issues",
    "all_VI_comments", "merger_comment", "N_VI", "DELTACHI2", "ZWARN", "ZERR", "TARGET_RA", "TARGET_DEC", "FIBER",
    "FLUX_G", "FLUX_R", "FLUX_Z", "EBV", "TILEID",
)  # fmt: skip
EDR_COLUMNS = ("TARGETID", "TARGET_RA", "TARGET_DEC", "FIBER", "VI_QUALITY", "VI_SPECTYPE", "VI_Z")
SDSS_COLUMNS = ("THING_ID", "PLATE", "MJD", "FIBERID")
"""Written last, and only where some label is of SDSS."""

_NONE = -1


@dataclass(frozen=True)
class Target:
    """What is known of an object beside what people say of it; None, "" and -1 where nothing is.

    Fluxes in nanomaggies, angles in degrees. ``sdss`` is (THING_ID, PLATE, MJD, FIBERID) of an object of SDSS.
    """

    targetid: int
    ra: float | None = None
    dec: float | None = None
    fiber: int = _NONE
    tileid: int = _NONE
    flux_g: float | None = None
    flux_r: float | None = None
    flux_z: float | None = None
    ebv: float | None = None
    pipeline_spectype: str = ""
    pipeline_z: float | None = None
    pipeline_zerr: float | None = None
    pipeline_zwarn: int | None = None
    pipeline_deltachi2: float | None = None
    sdss: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class SettledLabel:
    """One settled label; ``quality`` is a fraction of 0 to 4, ``comments`` the inspectors', all on one line."""

    target: Target
    spectype: str
    z: float | None
    quality: float
    issues: str = ""
    comments: str = ""
    merger_comment: str = ""
    n_vi: int | None = None


def desi_merged_csv(labels: Sequence[SettledLabel]) -> str:
    """The text of a merged file, labels in their order; numbers with all their digits."""
    rows = (
        [
            _id(one.target.targetid), one.target.pipeline_z, one.z, float(one.quality), one.target.pipeline_spectype,
            one.spectype, "".join(sorted(one.issues)), _comment(one.comments), _comment(one.merger_comment) or "none",
            one.n_vi, one.target.pipeline_deltachi2, one.target.pipeline_zwarn, one.target.pipeline_zerr,
            one.target.ra, one.target.dec, one.target.fiber, one.target.flux_g, one.target.flux_r, one.target.flux_z,
            one.target.ebv, one.target.tileid,
        ]
        for one in labels
    )  # fmt: skip
    return _text(MERGED_COLUMNS, rows, labels)


def edr_csv(labels: Sequence[SettledLabel]) -> str:
    """The text of a catalogue in the columns of the Early Data Release's, labels in their order."""
    rows = (
        [
            _id(one.target.targetid), one.target.ra, one.target.dec, one.target.fiber, float(one.quality),
            one.spectype, one.z,
        ]
        for one in labels
    )  # fmt: skip
    return _text(EDR_COLUMNS, rows, labels)


def _comment(text: str) -> str:
    # What readers of these files take for nothing is written as nothing, so that what is read is what was written.
    line = one_line(text)
    return "" if line.lower() in ("--", "none", "nan") else line


def _text(columns: Sequence[str], rows: Iterable[Sequence[object]], labels: Sequence[SettledLabel]) -> str:
    if not any(one.target.sdss for one in labels):
        return csv_text(columns, rows)
    nowhere = (_NONE,) * len(SDSS_COLUMNS)
    return csv_text(
        (*columns, *SDSS_COLUMNS),
        ([*row, *(one.target.sdss or nowhere)] for row, one in zip(rows, labels, strict=True)),
    )


def _id(targetid: int) -> int:
    return targetid if targetid > 0 else _NONE
