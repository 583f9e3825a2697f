"""The figures of two weights files (or of one) on the rows of a workspace: what ``comparison.json`` holds.

Agreement, line confusion, box pull and changes of class are per object, on one spectrum each (the coadd of the highest
S/N, else the best exposure); repeats are over rows. A quasar is what has a line with c > the threshold.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qnet_tui.evaluation import repeats
from qnet_tui.evaluation.box_pull import C_MIN, DV_MAX_KMS, BoxPull, box_pull, edge_redshifts
from qnet_tui.evaluation.classification import share
from qnet_tui.evaluation.intervals import wilson
from qnet_tui.evaluation.line_confusion import WIDTH_KMS, line_confusion
from qnet_tui.evaluation.recession import DEFAULT_CUTS, agreement, velocity_difference
from qnet_tui.quasarnet.boxes import box_edges
from qnet_tui.quasarnet.lines import LINES
from qnet_tui.spectra.grids import grid_named
from qnet_tui.workflows.weights_answers import AnswersBlock, AnswersFiles, places

NAMES = tuple(name for name, _ in LINES)
RESTS = tuple(rest for _, rest in LINES)

POINTS = 5000
"""Objects drawn in the chart."""
_SLICES, _IN_SLICE = 90, 25

_CHANGES = ("both", "only_new", "only_old", "neither")


@dataclass(frozen=True, eq=False)
class Said:
    """What one file says of n rows: confidence and number of its best line, its redshift; NaN where it said nothing."""

    c_best: NDArray[np.float32]
    line: NDArray[np.int8]
    zbest: NDArray[np.float64]

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Rows with an answer that is a number, bool (n,)."""
        return np.isfinite(self.c_best) & np.isfinite(self.zbest)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known of n objects: ``known`` bool, ``is_qso`` bool and ``z`` f8 (NaN unless it is a quasar)."""

    known: NDArray[np.bool_]
    is_qso: NDArray[np.bool_]
    z: NDArray[np.float64]


def said_of(files: AnswersFiles, row_ids: NDArray[np.int64]) -> Said:
    """The best line of every row, read block by block; ``row_ids`` i8 (n,) ascending."""
    n = len(row_ids)
    out = Said(np.full(n, np.nan, np.float32), np.zeros(n, np.int8), np.full(n, np.nan))
    for block in files.blocks():
        mine, theirs = places(row_ids, block.row_id)
        c_line = block.c_line[:, theirs]
        out.line[mine] = c_line.argmax(axis=0)
        # A maximum of NaN is NaN: such a row has no answer.
        out.c_best[mine] = c_line.max(axis=0)
        out.zbest[mine] = block.zbest[theirs]
    return out


def pair_figures(
    new: Said,
    old: Said,
    of_new: AnswersBlock,
    of_old: AnswersBlock,
    some: NDArray[np.bool_],
    truth: Truth,
    grid: str,
    c_threshold: float,
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Figures of two files on n objects, and the points of the chart.

    ``new``, ``old`` and ``truth`` are of the same n objects; ``of_new`` and ``of_old``, the answers by line, are of
    those in the mask ``some``, all that a file calls a quasar among them. ``grid`` is the new file's.
    """
    called_new, called_old = new.c_best > c_threshold, old.c_best > c_threshold
    both = called_new & called_old
    dv = np.where(both, velocity_difference(new.zbest, old.zbest), np.nan)
    line_cut = DEFAULT_CUTS[-1]
    with np.errstate(invalid="ignore"):
        agrees = np.abs(dv) <= line_cut
    confused = line_confusion(
        old.zbest[both], new.zbest[both], agrees[both], NAMES, RESTS, line_old=old.line[both], line_new=new.line[both]
    )
    use = (of_new.c_line > C_MIN) & (of_old.c_line > C_MIN) & both[some]
    pulled = box_pull(of_new.z_line, of_old.z_line, use, grid_named(grid).wave, NAMES, RESTS)
    commonest = int(np.bincount(new.line[both], minlength=len(LINES)).argmax())
    figures = {
        "agreement": [asdict(one) for one in agreement(dv)],
        "agreement_cut_kms": line_cut,
        "confusion": [{"pair": c.pair, **asdict(c)} for c in confused],
        "confusion_width_kms": WIDTH_KMS,
        "box_pull": _pulls("new against old", pulled),
        "classes": _changes(called_new, called_old, truth),
        "box_edges": _edges(grid, commonest),
    }
    return figures, _points(old.zbest[both], dv[both])


def truth_figures(
    said: Said,
    by_line: AnswersBlock,
    some: NDArray[np.bool_],
    truth: Truth,
    grid: str,
    who: str,
    c_threshold: float,
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Figures of one file against the truth, ``who`` being "new" or "old", and the points of a chart of it.

    Arguments as in :func:`pair_figures`; every quasar of the truth is in ``some``.
    """
    quasar = truth.known & truth.is_qso & np.isfinite(truth.z)
    use = (by_line.c_line > C_MIN) & quasar[some]
    pulled = box_pull(by_line.z_line, truth.z[some], use, grid_named(grid).wave, NAMES, RESTS)
    called = quasar & (said.c_best > c_threshold)
    dv = velocity_difference(said.zbest[called], truth.z[called])
    commonest = int(np.bincount(said.line[called], minlength=len(LINES)).argmax())
    figures = {
        "box_pull": _pulls(f"{who} against truth", pulled),
        "agreement": [{**asdict(one), "file": who} for one in agreement(dv)],
        "box_edges": _edges(grid, commonest),
    }
    return figures, _points(truth.z[called], dv)


def repeat_figures(
    said: dict[str, Said],
    object_id: NDArray[np.int64],
    coadd: NDArray[np.bool_],
    use: NDArray[np.bool_],
    c_threshold: float,
) -> dict[str, Any]:
    """Repeats of one or two files ("new", "old") on the same rows, those in ``use``: entropy and scatter."""
    groups = repeats.repeat_groups(object_id, coadd, use)
    out: dict[str, Any] = {"objects": len(groups), "rows": int(groups.counts.sum()), "sigma_z": [], "entropy": []}
    entropies = {}
    for who, one in said.items():
        is_qso = one.c_best > c_threshold
        entropies[who] = entropy = repeats.class_entropy(is_qso, groups)
        mixed = int(np.count_nonzero(entropy > 0))
        lo, hi = wilson(mixed, len(groups))
        mean, sigma = repeats.object_scatter(one.zbest, is_qso, groups)
        steady = sigma[np.isfinite(sigma)]
        out[who] = {
            "consistent_quasars": int(steady.size),
            "inconsistent": mixed,
            "inconsistent_fraction": share(mixed, len(groups)),
            "lo": lo,
            "hi": hi,
            "mean_entropy": float(entropy.mean()) if len(groups) else float("nan"),
            "mean_sigma_z": float(steady.mean()) if steady.size else float("nan"),
            "median_sigma_z": float(np.median(steady)) if steady.size else float("nan"),
        }
        out["sigma_z"] += [{"file": who, **asdict(b)} for b in repeats.redshift_scatter(mean, sigma) if b.n]
        out["entropy"] += [{"file": who, **asdict(b)} for b in repeats.entropy_bins(entropy)]
    if len(said) == 2:
        out["entropy_plane"] = repeats.entropy_plane(entropies["old"], entropies["new"]).tolist()
    return out


def _pulls(between: str, pulls: tuple[BoxPull, ...]) -> list[dict[str, Any]]:
    return [{"between": between, "c_min": C_MIN, "dv_max_kms": DV_MAX_KMS, **asdict(one)} for one in pulls]


def _changes(called_new: NDArray[np.bool_], called_old: NDArray[np.bool_], truth: Truth) -> list[dict[str, Any]]:
    """How the classes changed, with counts, and of those with truth how many each file has right."""
    masks = (called_new & called_old, called_new & ~called_old, ~called_new & called_old, ~called_new & ~called_old)
    out = []
    for name, mask in zip(_CHANGES, masks, strict=True):
        n, known = int(np.count_nonzero(mask)), mask & truth.known
        lo, hi = wilson(n, mask.size)
        out.append(
            {
                "change": name,
                "count": n,
                "fraction": share(n, mask.size),
                "lo": lo,
                "hi": hi,
                "with_truth": int(np.count_nonzero(known)),
                "new_right": int(np.count_nonzero(known & (called_new == truth.is_qso))),
                "old_right": int(np.count_nonzero(known & (called_old == truth.is_qso))),
            }
        )
    return out


def _edges(grid: str, line: int) -> dict[str, Any]:
    """Where the commonest line crosses from box to box."""
    return {"line": NAMES[line], "z": edge_redshifts(box_edges(grid_named(grid)), RESTS[line]).tolist(), "grid": grid}


def _points(z: NDArray[np.float64], dv: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Points of the chart, at most :data:`POINTS` of them, and the median Δv in slices of z, of all objects."""
    known = np.flatnonzero(np.isfinite(z) & np.isfinite(dv))
    slices = np.array_split(known[np.argsort(z[known], kind="stable")], max(1, min(_SLICES, known.size // _IN_SLICE)))
    full = [one for one in slices if one.size >= _IN_SLICE]
    medians = {
        "z_median": np.array([np.median(z[one]) for one in full]),
        "dv_median": np.array([np.median(dv[one]) for one in full]),
    }
    if known.size > POINTS:
        known = np.sort(np.random.default_rng(0).choice(known, POINTS, replace=False))
    return {"z": z[known], "dv": dv[known], **medians}


__all__ = ["Said", "Truth", "pair_figures", "repeat_figures", "said_of", "truth_figures"]
