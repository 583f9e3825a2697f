"""``qnet score TREE --beside|--out-tree DIR``: one output for every coadd of a tree, begun again where it stopped.

An output is whole or absent. Its header has a stamp of what it was made of (coadd and redrock file, weights, settings);
an output with the stamp that it would get now is left as it is, so a killed batch goes on and an unchanged one does
nothing. A file that cannot be done is listed with its reason and the others are done.
"""

import contextlib
import glob
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows.afterburner import prior_file_of, redrock_of, stamp_of, words_of_rows, write_afterburner
from qnet_tui.workflows.ingest import Named
from qnet_tui.workflows.line_finder import line_finder
from qnet_tui.workflows.progress import Progress, silent
from qnet_tui.workflows.score import write_answers
from qnet_tui.workflows.score_settings import ScoreSettings

MANY_FILES = 16
"""From so many files on worker processes are started unasked: each needs some seconds to load TensorFlow."""

STALE_SECONDS = 3600.0
"""A temporary file as old as that was left by somebody who was killed."""


@dataclass(frozen=True)
class FileDone:
    """What came of one coadd."""

    rows: int
    scored: int
    quasars: int
    reruns: int
    notes: tuple[str, ...] = ()


@dataclass
class TreeResult:
    """What ``qnet score --beside|--out-tree`` says.

    ``files`` are the coadds found, ``done`` those made now, ``already`` those that were whole; ``rows``, ``scored``,
    ``quasars`` and ``reruns`` (rows of prior files) are of those made now. ``left`` counts the other files by what
    they are. ``exit_code``: 0, 2 when all failures are bad input, else 1.
    """

    files: int = 0
    done: int = 0
    already: int = 0
    rows: int = 0
    scored: int = 0
    quasars: int = 0
    reruns: int = 0
    out: str = ""
    weights: str = ""
    grid: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    words: str = ""
    failed: list[Named] = field(default_factory=list)
    notes: list[Named] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    exit_code: int = 0


@dataclass(frozen=True)
class _Work:
    """One coadd to be done: ``redrock`` and ``priors`` are empty without the afterburner."""

    coadd: Path
    target: Path
    redrock: str
    priors: str
    stamp: str


def score_tree(
    paths: Sequence[str],
    weights_file: Path,
    settings: ScoreSettings,
    *,
    out_tree: Path | None = None,
    jobs: int | None = None,
    progress: Progress = silent,
) -> TreeResult:
    """Score every coadd among ``paths``, each into a file of its own beside it or in a mirrored tree ``out_tree``.

    coadd-X.fits(.gz) gives qn_scores-X.fits, with the afterburner qso_qn-X.fits and priors-X.fits. ``jobs`` worker
    processes (None: the cores given to us when there are many files). Only files called coadd-… are done.
    Errors: BadInput when no coadd is found or the weights cannot be read.
    """
    from qnet_tui.compute.where import available_cores
    from qnet_tui.spectra.discovery import find_files

    began = time.monotonic()
    finder = line_finder(weights_file, settings.offsets)

    def looked_at(n: int) -> None:
        if time.monotonic() - began > 2:
            progress("looking at files", n, 0)

    found = find_files(paths, looked_at)
    result = TreeResult(out=str(out_tree or ""), weights=str(weights_file), grid=finder.grid.name)
    result.settings, result.words = settings.facts(), settings.words(finder.width_factor)
    coadds = [path for path in found.spectra if path.name.startswith("coadd-")]
    result.left = _counted(result, [*found.left, *((p, "not a coadd") for p in found.spectra if p not in set(coadds))])
    result.files = len(coadds) + len(result.failed)
    if not result.files:
        raise BadInput("no coadd among the given files", mend="give DESI coadd- files, or folders of them")
    root = None if out_tree is None else _root_of(paths, coadds)
    works = list(_to_do(coadds, root, out_tree, finder.sha256, settings, result))
    jobs = jobs or (available_cores() if len(works) >= MANY_FILES else 1)
    _do_all(works, weights_file, settings, min(jobs, max(1, len(works))), result, progress)
    result.failed.sort(key=lambda one: one.path)
    result.notes.sort(key=lambda one: one.path)
    result.seconds = time.monotonic() - began
    return result


def score_coadd(
    coadd: str, redrock: str, target: str, priors: str, stamp: str, weights_file: str, settings: dict[str, Any]
) -> FileDone:
    """Task of a worker: one coadd and its outputs; run again it writes the same files.

    Errors: BadInput and QnetError in one line that names the file.
    """
    chosen, output = ScoreSettings(**settings), Path(target)
    finder = line_finder(Path(weights_file), chosen.offsets)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QnetError(f"cannot be made ({error.strerror})", file=output.parent, mend="check its rights") from error
    for place in filter(None, (target, priors)):
        _sweep(Path(place))
    if chosen.afterburner:
        made = write_afterburner(Path(coadd), Path(redrock), output, Path(priors), finder, chosen, stamp)
        alone = {"not in redrock": made.without_redrock, "in redrock only": made.without_spectrum}
        notes = [*made.notes, *(words_of_rows(what, ids) for what, ids in alone.items() if ids)]
        return FileDone(made.rows, made.scored, made.quasars, made.reruns, tuple(notes))
    said = finder.answer(Path(coadd), extrapolate=chosen.extrapolate)
    write_answers(output, [(Path(coadd), said)], finder, chosen, STAMP=stamp)
    quasars = int(said.is_qso(chosen).sum())
    # What redrock says is not asked for here, so that it is not there is no news.
    notes = [note for note in said.notes if not note.startswith("no pipeline answer")]
    return FileDone(len(said.rows), int(said.scored.sum()), quasars, 0, tuple(notes))


def is_made(path: Path, stamp: str) -> bool:
    """Whether a whole output with this stamp is at ``path``."""
    from qnet_tui.spectra.open_fits import open_fits

    if not path.is_file():
        return False
    try:
        with open_fits(path) as fits:
            return len(fits.hdus) > 1 and fits.hdus[1].text("STAMP") == stamp
    except QnetError:
        return False


def _sweep(target: Path) -> None:
    """Remove what a killed batch left half written of this output."""
    for left in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()


def _counted(result: TreeResult, left: Sequence[tuple[Path, str]]) -> dict[str, int]:
    """The files that are no coadds, counted by what they are; a damaged file called coadd-… has failed."""
    counts: dict[str, int] = {}
    for path, what in left:
        if path.name.startswith("coadd-") and path.name.removesuffix(".gz").endswith(".fits"):
            result.failed.append(Named(str(path), f"{path}: {what}; copy or download the file again"))
            result.exit_code = 2
        else:
            counts[what] = counts.get(what, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _root_of(paths: Sequence[str], coadds: Sequence[Path]) -> Path:
    """The folder that a mirrored tree mirrors: the one that holds all folders, patterns and files named.

    The fixed part of a pattern counts, so that the tree is the same when more files match it later.
    """
    roots: list[str] = []
    for text in map(str, paths):
        path = Path(text).expanduser()
        if path.is_dir():
            roots.append(str(path.absolute()))
        elif os.path.lexists(path):
            roots.append(str(path.absolute().parent))
        elif glob.has_magic(text):
            fixed = [part for part in path.absolute().parents if not glob.has_magic(str(part))]
            roots.append(str(fixed[0]))
        else:  # @LIST
            roots += [str(coadd.parent) for coadd in coadds]
    return Path(os.path.commonpath(roots))


def _to_do(
    coadds: Sequence[Path],
    root: Path | None,
    out_tree: Path | None,
    weights_hash: str,
    settings: ScoreSettings,
    result: TreeResult,
) -> Iterator[_Work]:
    """The coadds whose output is not there yet; what cannot be done goes to ``result.failed``."""
    prefix = "qso_qn-" if settings.afterburner else "qn_scores-"
    taken: dict[Path, Path] = {}
    for coadd in coadds:
        try:
            folder = coadd.parent if out_tree is None else out_tree / coadd.parent.relative_to(root or coadd.parent)
            target = folder / (prefix + coadd.name.removesuffix(".gz").removeprefix("coadd-"))
            if target in taken:
                raise BadInput(
                    f"its output is that of {taken[target].name}", file=coadd, mend="keep one of the two coadds"
                )
            taken[target] = coadd
            redrock = redrock_of(coadd) if settings.afterburner else None
            stamp = stamp_of([coadd, redrock] if redrock else [coadd], weights_hash, settings)
        except QnetError as error:
            _fail(result, coadd, str(error), error.exit_code)
            continue
        except OSError as error:
            _fail(result, coadd, f"{coadd}: cannot be read ({error.strerror})", 1)
            continue
        priors = prior_file_of(target) if settings.afterburner else None
        if is_made(target, stamp) and (priors is None or is_made(priors, stamp)):
            result.already += 1
        else:
            yield _Work(coadd, target, str(redrock or ""), str(priors or ""), stamp)


def _do_all(
    works: Sequence[_Work],
    weights_file: Path,
    settings: ScoreSettings,
    jobs: int,
    result: TreeResult,
    progress: Progress,
) -> None:
    """Do what is to be done, here or in worker processes, and tell the result what came of each."""

    def arguments(work: _Work) -> dict[str, Any]:
        return {
            "coadd": str(work.coadd), "redrock": work.redrock, "target": str(work.target), "priors": work.priors,
            "stamp": work.stamp, "weights_file": str(weights_file), "settings": settings.facts(),
        }  # fmt: skip

    ended = 0

    def heard(path: Path, made: FileDone | None, error: str, exit_code: int) -> None:
        nonlocal ended
        ended += 1
        if made is None:
            _fail(result, path, error, exit_code)
        else:
            result.done += 1
            result.rows += made.rows
            result.scored += made.scored
            result.quasars += made.quasars
            result.reruns += made.reruns
            result.notes += [Named(str(path), note) for note in made.notes]
        progress("scoring", ended, len(works))

    if jobs > 1:
        _in_workers(works, arguments, jobs, heard)
        return
    for work in works:
        try:
            heard(work.coadd, score_coadd(**arguments(work)), "", 0)
        except QnetError as error:
            heard(work.coadd, None, str(error), error.exit_code)


def _in_workers(
    works: Sequence[_Work],
    arguments: Callable[[_Work], dict[str, Any]],
    jobs: int,
    heard: Callable[[Path, FileDone | None, str, int], None],
) -> None:
    from qnet_tui.compute.driver import run_tasks
    from qnet_tui.compute.tasks import Outcome, Task
    from qnet_tui.compute.where import Where

    def on_done(outcome: Outcome) -> None:
        heard(Path(outcome.name), outcome.value, outcome.error or "", outcome.exit_code)

    run_tasks((Task(str(w.coadd), score_coadd, arguments(w)) for w in works), Where(jobs=jobs), on_done)


def _fail(result: TreeResult, path: Path, reason: str, exit_code: int) -> None:
    result.failed.append(Named(str(path), reason))
    result.exit_code = exit_code if result.exit_code in (0, exit_code) else 1
