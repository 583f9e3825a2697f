"""``qnet spec FILE`` without a screen: one row of a survey file as facts, a plot made of characters, and JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qnet_tui.errors import BadInput
from qnet_tui.inspection.answer import Refused, z_text
from qnet_tui.inspection.keys import worded
from qnet_tui.plotting.canvas import Charset, charset_for
from qnet_tui.plotting.marker_layout import Marker
from qnet_tui.plotting.ranges import data_range
from qnet_tui.plotting.smoothing import MAX_SIGMA
from qnet_tui.plotting.spectrum_text import data_text
from qnet_tui.spectra.rrdetails import PipelineFit
from qnet_tui.spectral_lines.identification import candidates
from qnet_tui.spectral_lines.line_list import sky_lines
from qnet_tui.workflows.label_item import Item, fitted
from qnet_tui.workflows.line_marks import line_marks
from qnet_tui.workflows.spectrum_file import RowShown, SpecOptions, SpectrumFile, started

_SMALLEST, _LARGEST = (30, 8), (1000, 500)


@dataclass(frozen=True)
class Pipeline:
    """The pipeline's best answer; ``zerr`` and ``deltachi2`` NaN and ``zwarn`` -1 where it does not say."""

    name: str
    spectype: str
    z: float
    zerr: float
    zwarn: int
    deltachi2: float


@dataclass(frozen=True)
class Fit:
    """A fit of our own near the trial redshift ``start``; ``velocity`` in km/s from there."""

    start: float
    z: float
    z_error: float
    velocity: float
    delta_chi2: float
    template: str


@dataclass(frozen=True)
class Peak:
    """A peak at ``wavelength`` (observed Å), ``significance`` in sigma, and the redshift of each line it could be."""

    wavelength: float
    significance: float
    could_be: dict[str, float]


@dataclass(frozen=True)
class LineAt:
    """A line of the list that lies in the data at the trial redshift, at ``wavelength`` (observed Å)."""

    name: str
    wavelength: float
    kind: str


@dataclass(frozen=True)
class SpectrumReport:
    """One row of a file as ``qnet spec`` says it; ``plot`` is what is drawn, one text a row of characters."""

    file: Path
    survey: str
    kind: str
    program: str
    rows: int
    row: int
    rows_of_object: tuple[int, ...]
    targetid: int
    identity: str
    title: str
    objtype: str
    ra: float
    dec: float
    arms: str
    arms_missing: str
    frac_masked: float
    snr: float
    magnitude_r: float | None
    pipeline: Pipeline | None
    fits: tuple[PipelineFit, ...]
    z: float | None
    z_source: str | None
    fit: Fit | None
    peaks: tuple[Peak, ...]
    lines: tuple[LineAt, ...]
    plot: tuple[str, ...]
    notes: tuple[str, ...]
    problem: str


def report(
    path: Path, options: SpecOptions, *, width: int = 80, height: int = 20, smoothing: float = 3.0
) -> SpectrumReport:
    """Read one row of the file at ``path`` and draw it in ``width`` x ``height`` characters.

    ``smoothing`` is a Gaussian in native pixels. BadInput for a file, row, redshift or size that cannot be; QnetError
    when the system does not let us read the file.
    """
    _check_size(width, height, smoothing)
    charset = charset_for(options.charset)
    file = SpectrumFile.open(path)
    shown = file.show(file.start(options))
    item, record = shown.item, shown.record
    state = started(item, options.z)
    fit = _fit(item, state.answer.z, shown, options) if options.fit else None
    z = fit.z if fit is not None else state.answer.z
    full = data_range(item.wavelength, np.where(item.ivar > 0, item.flux, np.nan))
    marks = line_marks(z, *full, choice=options.lines, plain=charset == "ascii")
    plot = () if item.problem else _plot(item, marks, charset, width, height, smoothing)
    return SpectrumReport(
        file=path,
        survey=file.survey,
        kind=file.kind,
        program=file.program,
        rows=len(file),
        row=shown.row,
        rows_of_object=tuple(file.same_object(shown.row)),
        targetid=int(record["targetid"]),
        identity=str(record["identity"]),
        title=item.title,
        objtype=str(record["objtype"]),
        ra=float(record["ra"]),
        dec=float(record["dec"]),
        arms=str(record["arms"]),
        arms_missing=item.arms_missing,
        frac_masked=item.frac_masked,
        snr=item.snr,
        magnitude_r=item.magnitude,
        pipeline=_pipeline(shown),
        fits=item.fits,
        z=z,
        z_source="fit" if fit is not None else state.answer.z_source,
        fit=fit,
        peaks=tuple(
            Peak(one.wavelength, one.significance, {line.plain: value for line, value in candidates(one.wavelength)})
            for one in item.features
        ),
        lines=tuple(LineAt(mark.name, mark.wavelength, mark.kind) for mark in marks),
        plot=plot,
        notes=file.notes,
        problem=item.problem,
    )


def report_lines(made: SpectrumReport, charset: str | None = None) -> list[str]:
    """Return the report as lines of text: the facts, the plot, and what its markers stand for."""
    lines = [_facts(made), *_pipeline_lines(made)]
    lines += [made.problem] if made.problem else made.plot
    if made.fit is not None:
        sign, fit = "+-" if charset_for(charset) == "ascii" else "±", made.fit
        lines.append(
            f"fit: z {fit.z:.5f} {sign} {fit.z_error:.5f}, {fit.velocity:+.0f} km/s from {z_text(fit.start)}, "
            f"{fit.template}, dchi2 {fit.delta_chi2:.0f}"
        )
    elif made.z is not None and not made.problem:
        source = {"pipeline": made.pipeline.name if made.pipeline else "pipeline", "typed": "--z"}
        lines.append(f"lines at z {z_text(made.z)} ({source.get(made.z_source or '', made.z_source)})")
    return lines + [f"note: {note}" for note in made.notes]


def _facts(made: SpectrumReport) -> str:
    facts = [made.title, *([f"row {made.row} of 0-{made.rows - 1}"] if made.rows > 1 else [])]
    if len(made.rows_of_object) > 1:
        which = made.rows_of_object.index(made.row) + 1
        facts.append(f"{which} of {len(made.rows_of_object)} of this object")
    facts += [made.objtype] if made.objtype not in ("", "TGT") else []
    if made.survey == "desi":
        facts.append(f"arms {' '.join(made.arms.upper()) or 'none'}")
        facts += [f"no {' '.join(made.arms_missing.upper())}"] if made.arms_missing else []
    facts.append(f"{100 * made.frac_masked:.0f} % masked")
    facts += [f"S/N {made.snr:.1f}"] if math.isfinite(made.snr) else []
    facts += [f"r {made.magnitude_r:.1f}"] if made.magnitude_r is not None else []
    return "  ".join(facts)


def _pipeline_lines(made: SpectrumReport) -> list[str]:
    lines = []
    if made.pipeline is not None:
        best = made.pipeline
        words = f"{best.name}: {best.spectype} z {z_text(best.z)}"
        words += f"  zwarn {best.zwarn}" if best.zwarn > 0 else ""
        words += f"  dchi2 {best.deltachi2:.0f}" if math.isfinite(best.deltachi2) else ""
        lines.append(words)
    for fit in made.fits:
        which = f"{fit.spectype} {fit.subtype}".strip()
        lines.append(f"  fit {fit.rank}: {which} z {z_text(fit.z)}  zwarn {fit.zwarn}  dchi2 {fit.deltachi2:.0f}")
    return lines


def _plot(
    item: Item, marks: list[Marker], charset: Charset, width: int, height: int, smoothing: float
) -> tuple[str, ...]:
    rows = data_text(
        item.data,
        width=width,
        height=height,
        sigma=smoothing,
        markers=marks,
        sky=[line.rest for line in sky_lines()],
        charset=charset,
    )
    return tuple(rows)


def _fit(item: Item, z: float | None, shown: RowShown, options: SpecOptions) -> Fit:
    where = f"row {shown.row}"
    if item.problem:
        raise BadInput(f"{where}: {item.problem}", mend="there is nothing to fit")
    if z is None:
        raise BadInput(f"{where}: a fit starts at a redshift and the pipeline gives none", mend="--z 2.31 gives one")
    try:
        found = fitted(item, started(item, options.z))
    except Refused as why:
        raise BadInput(f"{where}: {worded(str(why))}", mend="try another --z") from None
    return Fit(z, found.z, found.z_error, found.velocity, found.delta_chi2, found.template)


def _pipeline(shown: RowShown) -> Pipeline | None:
    item, record = shown.item, shown.record
    if item.pipeline_z is None:
        return None
    return Pipeline(
        item.pipeline_name,
        item.pipeline_class,
        item.pipeline_z,
        float(record["pipeline_zerr"]),
        item.pipeline_zwarn,
        float(record["pipeline_deltachi2"]),
    )


def _check_size(width: int, height: int, smoothing: float) -> None:
    for name, value, low, high in zip(("width", "height"), (width, height), _SMALLEST, _LARGEST, strict=True):
        if not low <= value <= high:
            raise BadInput(f"--{name} {value} cannot be", mend=f"choose {low} to {high}")
    if not 0 <= smoothing <= MAX_SIGMA:
        raise BadInput(f"--smooth {smoothing:g} cannot be", mend=f"choose 0 to {MAX_SIGMA:g} pixels")
