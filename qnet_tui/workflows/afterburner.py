"""``qnet score --afterburner``: the pipeline's QN_RR table of a coadd, and the priors of the reruns it should make.

No redrock is run: the table says what the line finder says beside what redrock said, in redrock's order, and the prior
file names whom redrock should be asked again about.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qnet_tui.errors import BadInput
from qnet_tui.workflows.line_finder import FileAnswers, LineFinder, line_finder
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.score import refuse_overwriting
from qnet_tui.workflows.score_settings import ScoreSettings

_FORMAT = 1
"""Raised when the files that are written change: then no file made before is taken for one made now."""


@dataclass
class AfterburnerResult:
    """What ``qnet score --afterburner`` says of one coadd.

    ``rows`` are redrock's; ``without_redrock`` are TARGETIDs of the coadd that redrock lacks, ``without_spectrum``
    those of redrock that the coadd lacks; ``reruns`` are the rows of the prior file.
    """

    rows: int = 0
    scored: int = 0
    quasars: int = 0
    reruns: int = 0
    file: str = ""
    priors: str = ""
    coadd: str = ""
    redrock: str = ""
    weights: str = ""
    grid: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    words: str = ""
    unscored: dict[str, int] = field(default_factory=dict)
    without_redrock: list[int] = field(default_factory=list)
    without_spectrum: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def afterburn(
    paths: Sequence[str],
    weights_file: Path,
    target: Path,
    settings: ScoreSettings,
    *,
    redrock: Path | None = None,
    priors: Path | None = None,
    progress: Progress = silent,
) -> AfterburnerResult:
    """Write the QN_RR table of one coadd to ``target`` and its prior file to ``priors`` (else a name beside it).

    Errors: BadInput unless ``paths`` mean exactly one coadd, with a redrock file beside it or given as ``redrock``.
    """
    from qnet_tui.spectra.discovery import find_files

    finder = line_finder(weights_file, settings.offsets)
    found = find_files(paths).spectra
    if len(found) != 1:
        raise BadInput(
            f"-o with --afterburner needs exactly one coadd, {len(found)} were given",
            mend="use --out-tree DIR or --beside for several",
        )
    coadd = found[0]
    if coadd.name.startswith("spectra-"):
        raise BadInput("its rows are exposures, redrock's are objects", file=coadd, mend="give the coadd- file")
    if redrock is not None and not redrock.is_file():
        raise BadInput("no such file", file=redrock, mend="check --redrock")
    beside = redrock if redrock is not None else redrock_of(coadd)
    priors = priors if priors is not None else prior_file_of(target)
    for output in (target, priors):
        if not output.name.lower().endswith((".fits", ".fits.gz")):
            raise BadInput("tables are written as FITS", file=output, mend="name it .fits or .fits.gz")
        refuse_overwriting(output, [coadd, beside, weights_file])
    if priors.absolute() == target.absolute():
        raise BadInput("the table and the priors would be one file", file=target, mend="choose another --priors")
    stamp = stamp_of([coadd, beside], finder.sha256, settings)
    result = write_afterburner(coadd, beside, target, priors, finder, settings, stamp)
    progress("scoring", 1, 1)
    return result


def redrock_of(coadd: Path) -> Path:
    """The redrock file beside a coadd; BadInput that names what was looked for."""
    from qnet_tui.spectra.redrock import redrock_sibling

    sibling = redrock_sibling(coadd)
    if sibling is None:
        rest = coadd.name.removesuffix(".gz").removeprefix("coadd-").removeprefix("spectra-")
        raise BadInput(
            f"no redrock file beside it (looked for redrock-{rest} and zbest-{rest}, also .gz)",
            file=coadd,
            mend="put it there, or name it with --redrock",
        )
    return sibling


def prior_file_of(table: Path) -> Path:
    """Where the priors of a table go: priors-X beside qso_qn-X, priors-NAME beside any other NAME."""
    return table.with_name("priors-" + table.name.removeprefix("qso_qn-"))


def stamp_of(inputs: Sequence[Path], weights_hash: str, settings: ScoreSettings) -> str:
    """What an output is made of, as 32 hexadecimal digits: inputs (size, time of change), weights, settings."""
    stats = [path.stat() for path in inputs]
    facts = [_FORMAT, weights_hash, settings.facts(), [[s.st_size, s.st_mtime_ns] for s in stats]]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def words_of_rows(what: str, targetids: Sequence[int], most: int = 20) -> str:
    """Say that "3 rows not in redrock: TARGETID 1, 2, 3", at most ``most`` of them by name."""
    named = ", ".join(map(str, targetids[:most])) + (", ..." if len(targetids) > most else "")
    return f"{len(targetids):,} row{'s' if len(targetids) > 1 else ''} {what}: TARGETID {named}"


def write_afterburner(
    coadd: Path,
    redrock: Path,
    target: Path,
    priors: Path,
    finder: LineFinder,
    settings: ScoreSettings,
    stamp: str,
) -> AfterburnerResult:
    """Score a coadd, join it to its redrock file, write the priors and then the table, each whole or not at all.

    Errors: BadInput for files that cannot be read or have no TARGETID in common, in one line.
    """
    from qnet_tui.handover.priors import needs_rerun, prior_columns, prior_width, write_priors
    from qnet_tui.handover.qn_rr import qn_rr_columns, qn_rr_header, write_qn_rr
    from qnet_tui.spectra.redrock_table import read_redrock_table, rows_among

    began = time.monotonic()
    table = read_redrock_table(redrock, coadd)
    said = finder.answer(coadd, extrapolate=settings.extrapolate)
    ids = said.rows["targetid"]
    at = rows_among(table.targetid, ids)
    if len(ids) and table.n_rows and (at < 0).all():
        what = f"no TARGETID of {redrock.name} is in it" if ids.any() else "has no TARGETID to join redrock's rows by"
        raise BadInput(what, file=coadd, mend="name the redrock file of this coadd with --redrock")
    joined = _in_order(said, at)
    is_qso = joined.is_qso(settings)
    width = prior_width(joined.zbest, settings.imitated, finder.width_factor)
    ask = needs_rerun(
        is_qso=is_qso,
        objtype=table.objtype,
        spectype=np.char.upper(table.spectype),
        z_redrock=table.z,
        z_qn=joined.zbest,
        width=width,
        rule=settings.rule,
    )
    facts = _facts(finder, settings) | {"COADD": coadd.name, "REDROCK": redrock.name, "STAMP": stamp}
    write_priors(priors, prior_columns(table.targetid[ask], joined.zbest[ask], width[ask]), facts)
    columns = qn_rr_columns(
        pipeline=settings.pipeline,
        target_column=table.target_column,
        targetid=table.targetid,
        ra=table.ra,
        dec=table.dec,
        desi_target=table.desi_target,
        spectype=table.spectype,
        z_redrock=table.z,
        zbest=joined.zbest,
        c_line=joined.c_line,
        z_line=joined.z_line,
    )
    arms = "".join(arm for arm in "brz" if f"no {arm} arm in the file" not in said.notes)
    counts = {"ARMS": arms, "NQSO": int(is_qso.sum()), "NPRIORS": int(ask.sum())}
    write_qn_rr(target, columns, qn_rr_header(facts | counts, _depends(finder)))
    alone = np.ones(len(ids), dtype=bool)
    alone[at[at >= 0]] = False
    return AfterburnerResult(
        rows=table.n_rows,
        scored=int(joined.scored.sum()),
        quasars=int(is_qso.sum()),
        reruns=int(ask.sum()),
        file=str(target),
        priors=str(priors),
        coadd=str(coadd),
        redrock=str(redrock),
        weights=str(finder.file),
        grid=finder.grid.name,
        settings=settings.facts(),
        words=settings.words(finder.width_factor),
        unscored=said.dropped,
        without_redrock=ids[alone].tolist(),
        without_spectrum=table.targetid[at < 0].tolist(),
        # What the reader says of the sibling that it looks for itself is said here of the one that was taken.
        notes=[note for note in said.notes if not note.startswith("no pipeline answer")],
        seconds=time.monotonic() - began,
    )


def _in_order(said: FileAnswers, at: "np.typing.NDArray[np.int64]") -> FileAnswers:
    """The answers for the rows ``at`` (n,) of a file, NaN where that is -1."""
    if not len(said.rows):
        n, lines = len(at), np.full((6, len(at)), np.nan, np.float32)
        return FileAnswers(np.zeros(n, said.rows.dtype), lines, lines.copy(), np.full(n, np.nan))
    taken, absent = np.maximum(at, 0), at < 0
    c_line, z_line, zbest = said.c_line[:, taken], said.z_line[:, taken], said.zbest[taken]
    c_line[:, absent], z_line[:, absent], zbest[absent] = np.nan, np.nan, np.nan
    return FileAnswers(said.rows[taken], c_line, z_line, zbest)


def _facts(finder: LineFinder, settings: ScoreSettings) -> dict[str, Any]:
    """What both headers say of weights and settings."""
    from qnet_tui import __version__

    wide = settings.constant_width
    return {
        "WEIGHTS": finder.file.name,
        "WHASH": finder.sha256,
        "GRID": finder.grid.name,
        "OFFSETS": settings.offsets,
        "EXTRAPOL": settings.extrapolate,
        "PIPELINE": settings.pipeline,
        "RULE": settings.rule,
        "C_THRESH": float(settings.c_threshold),
        "N_THRESH": int(settings.n_lines),
        **({"WIDTH_A": finder.width_factor} if wide is None else {"WIDTH": wide}),
        "QNETVER": __version__,
    }


def _depends(finder: LineFinder) -> dict[str, str]:
    """Model file and versions by the names that DESI's files use; no templates, because no redrock was run."""
    from qnet_tui.workflows.versions import versions

    known = versions()
    return {
        **{name: known[name] for name in ("python", "numpy", "fitsio", "tensorflow", "qnet")},
        "QN_MODEL_FILE": str(finder.file),
        "RR_TEMPLATE_DIR": "None",
    }
