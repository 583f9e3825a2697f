"""The report of a swap of weights in words: evidence in, one page of Markdown out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from qnet_tui.evaluation.classification import ClassificationCounts
from qnet_tui.evaluation.redshifts import redshift_errors
from qnet_tui.workflows.weights_evidence import paired, worse_bins
from qnet_tui.workflows.weights_report import Evidence

THRESHOLDS = (0.5, 0.95, 0.99)


def page(found: Evidence) -> str:
    """The whole page."""
    sections = (
        ("The files", _files(found)),
        ("What they were measured on", _measured_on(found)),
        ("Completeness and purity", _classification(found)),
        ("Where the new file is worse", _worse_bins(found)),
        ("What got worse, object by object", _worse_objects(found)),
        ("Redshifts against the truth", _redshifts(found)),
        ("Redshifts of both files on all spectra", _agreement(found)),
        ("Lines taken for one another", _confusion(found)),
        ("Objects seen more than once", _repeats(found)),
        ("Pull towards the middle of a box", _box_pull(found)),
        ("What this page does not say", _limits(found)),
        ("How to make it again", _commands(found)),
    )
    new, old = _name(found, "new"), _name(found, "old")
    title = f"# {new} in the place of {old}" if old else f"# {new}"
    body = "\n\n".join(f"## {head}\n\n{text}" for head, text in sections if text)
    return f"{title}\n\n{_summary(found)}\n\n{body}\n"


def _summary(found: Evidence) -> str:
    one = found.objects
    new = one.counts("new", found.c_threshold, found.dv_max)
    if "old" not in one.c_best:
        return (
            f"{_name(found, 'new')} finds {_share(new, 'completeness')} of the quasars, {_share(new, 'purity')} pure."
        )
    old = one.counts("old", found.c_threshold, found.dv_max)
    classes, quasars = paired(one, found.c_threshold)
    more = f"{abs(quasars.more):,} {'more' if quasars.more > 0 else 'fewer'}" if quasars.more else "as many"
    return (
        f"On the same {len(one):,} objects at c > {found.c_threshold:g} the new file finds "
        f"{_share(new, 'completeness')} of {quasars.n:,} quasars, the old one {_share(old, 'completeness')}: "
        f"{more}, McNemar p = {quasars.p:.2g}. Their purities are {_share(new, 'purity')} and "
        f"{_share(old, 'purity')}. Of all objects {classes.only_first:,} have a right class by the new file alone and "
        f"{classes.only_second:,} by the old one alone (p = {classes.p:.2g}). With redshifts: "
        f"worse {found.worse_total:,}, better {found.better_total:,}."
    )


def _files(found: Evidence) -> str:
    said = found.files
    keys = ["file", "sha256", "grid", "layers", "filters", "kernel", "padding", "boxes", "pixels", "parameters",
            "offsets_rescaled"]  # fmt: skip
    skip = {"attr_model_config", "attr_lines", "attr_lines_bal", "attr_nboxes"}
    keys += sorted({k for one in said.values() for k in one if k.startswith("attr_") and k not in skip})
    rows = [[k.removeprefix("attr_"), *(_cell(one.get(k)) for one in said.values())] for k in keys]
    recorded = {who: found.trained[who].recorded if who in found.trained else {} for who in said}
    names = dict.fromkeys(name for one in recorded.values() for name in one)
    rows += [[f"{name} (its run)", *(_cell(one.get(name)) for one in recorded.values())] for name in names]
    answered = [found.figures[who].get("versions") or {} for who in said]
    rows.append(["answered with", *(", ".join(f"{k} {v}" for k, v in one.items()) for one in answered)])
    gone = [f"{one['file']} is no longer the file that was compared." for one in said.values() if one.get("gone")]
    return "\n\n".join([_table(["", *said], rows), *gone])


def _measured_on(found: Evidence) -> str:
    one, lines = found.objects, []
    which = "held-out (validation) objects" if one.role == "validation" else "objects with secure truth"
    kinds = ", ".join(f"{n:,} {name or 'without class'}" for name, n in sorted(found.classes.items()))
    lines.append(
        f"{len(one):,} {which}, one spectrum each: {kinds}. Validation set {one.hash}, truth {found.truth_hash[:16]}."
    )
    if one.role != "validation":
        lines.append(
            "Nothing is held out in this workspace: the files may have been trained on what they are measured on."
        )
    if one.lost:
        lines.append(f"{one.lost:,} more have a secure label but no spectrum that every file answered for.")
    for who, trained in found.trained.items():
        lines.append(_overlap(who, trained, len(one)))
    if found.stale:
        lines.append(f"The truth changed since {found.run} compared the files: figures on all spectra are of then, "
                     "those on the truth of now.")  # fmt: skip
    return "\n".join(f"- {line}" for line in lines)


def _overlap(who: str, trained: Any, n: int) -> str:
    if trained.held_out is None:
        return f"The {who} file: what it was trained on is not known here, so these objects may be among it."
    if trained.inside is None:
        return (f"The {who} file ({trained.source}): {trained.held_out:,} of the {n:,} were held out from its "
                f"training; whether the other {n - trained.held_out:,} were in it is not recorded.")  # fmt: skip
    return f"The {who} file ({trained.source}): {trained.inside:,} of the {n:,} were in its training."


def _classification(found: Evidence) -> str:
    one, rows = found.objects, []
    for c in sorted({*THRESHOLDS, found.c_threshold}):
        for who in one.c_best:
            k = one.counts(who, c, found.dv_max)
            rows.append([f"{c:g}", who, _share(k, "completeness"), _share(k, "purity"), k.tp, k.fp, k.fn, k.tn])
    text = _table(["c >", "file", "completeness", "purity", "tp", "fp", "fn", "tn"], rows)
    if found.dv_max is not None:
        text += f"\n\nA quasar also needs a redshift right to {found.dv_max:g} km/s."
    if "old" not in one.c_best:
        return text
    rows = []
    for c in sorted({*THRESHOLDS, found.c_threshold}):
        for what, p in zip(("class of all objects", "quasars found"), paired(one, c), strict=True):
            rows.append([f"{c:g}", what, p.n, p.both, p.only_first, p.only_second, p.neither, f"{p.p:.2g}"])
    head = ["c >", "right answers", "n", "both", "only new", "only old", "neither", "McNemar p"]
    return f"{text}\n\nObject by object, by class alone:\n\n{_table(head, rows)}"


def _worse_bins(found: Evidence) -> str:
    if "old" not in found.objects.c_best:
        return ""
    bins = worse_bins(found.objects, found.c_threshold)
    if not bins:
        return "In no bin of redshift, r magnitude or S/N does it find fewer quasars or call more that are none."
    rows = [[b.by, f"{b.lo:g} to {b.hi:g}", b.what, b.n, b.new, b.old, f"{b.p:.2g}"] for b in bins]
    text = _table(["by", "from, to", "", "objects", "new", "old", "McNemar p"], rows)
    return f"{text}\n\nEach bin is a test of its own: of twenty, one has p < 0.05 by chance."


def _worse_objects(found: Evidence) -> str:
    if "old" not in found.objects.c_best:
        return ""
    if not found.worse_total:
        return "None: whatever the old file had right, the new one has right."
    rows = [[c.id, c.what, c.spectype, f"{c.z:.4f}", _cell(c.snr, 2), f"{c.c_new:.3f}", f"{c.c_old:.3f}",
             f"{c.z_new:.4f}", f"{c.z_old:.4f}"] for c in found.worse]  # fmt: skip
    head = ["TARGETID", "now", "truth", "z", "S/N", "c new", "c old", "z new", "z old"]
    return (f"The old file had {found.worse_total:,} right (class, redshift within 6000 km/s) that the new one has "
            f"wrong; {len(rows)} of them, quasars and the best spectra first:\n\n"
            f"{_table(head, rows)}")  # fmt: skip


def _redshifts(found: Evidence) -> str:
    one, rows = found.objects, []
    called = {who: one.is_qso & one.called(who, found.c_threshold) for who in one.c_best}
    groups = [(f"{who}, its own", who, use) for who, use in called.items()]
    if "old" in called:
        # A file that finds fainter quasars has worse redshifts for that alone.
        groups += [(f"{who}, found by both", who, called["new"] & called["old"]) for who in called]
    for words, who, use in groups:
        e = redshift_errors(one.zbest[who], one.z, use=use)
        rows.append([words, e.n, _cell(e.median_kms, 0), _cell(e.nmad_kms, 0),
                     *(f"{c.k:,} ({_percent(c.fraction)})" for c in e.catastrophic)])  # fmt: skip
    cuts = [f"> {c.cut_kms:,.0f} km/s" for c in redshift_errors([], []).catastrophic]
    return _table(["file", "quasars found", "median (km/s)", "NMAD (km/s)", *cuts], rows)


def _agreement(found: Evidence) -> str:
    f = found.figures
    if not f.get("agreement"):
        return ""
    rows = [[f"{a['within_kms']:,.0f}", f"{a['k']:,}", f"{a['n']:,}", _interval(a["fraction"], a["lo"], a["hi"])]
            for a in f["agreement"]]  # fmt: skip
    text = _table(["within (km/s)", "agree", "called by both", "fraction"], rows)
    words = {"both": "both call a quasar", "only_new": "only the new", "only_old": "only the old", "neither": "neither"}
    rows = [[words.get(c["change"], c["change"]), f"{c['count']:,}", _interval(c["fraction"], c["lo"], c["hi"]),
             c["with_truth"], c["new_right"], c["old_right"]] for c in f.get("classes", [])]  # fmt: skip
    head = ["class", "objects", "fraction", "with truth", "new right", "old right"]
    return f"{text}\n\n{_table(head, rows)}" if rows else text


def _confusion(found: Evidence) -> str:
    f = found.figures
    rows = [[c["old"], c["new"], c["count"], c["by_lines"], c["both"]] for c in f.get("confusion", [])
            if c["count"] or c["by_lines"]]  # fmt: skip
    if not rows:
        return "" if "old" not in found.files else "None."
    note = (f"Redshifts that differ by more than {_cell(f.get('agreement_cut_kms'), 0)} km/s and lie within "
            f"{_cell(f.get('confusion_width_kms'), 0)} km/s of what an exchange of two lines predicts.")  # fmt: skip
    return f"{note}\n\n{_table(['old line', 'new line', 'by redshift', 'by lines', 'both'], rows)}"


def _repeats(found: Evidence) -> str:
    r = found.figures.get("repeats") or {}
    if not r.get("objects"):
        return "No object was seen more than once."
    rows = [[who, r[who]["inconsistent"], _interval(r[who]["inconsistent_fraction"], r[who]["lo"], r[who]["hi"]),
             _cell(r[who]["mean_entropy"], 4), r[who]["consistent_quasars"], _cell(r[who]["mean_sigma_z"], 4)]
            for who in found.files if who in r]  # fmt: skip
    head = ["file", "of both classes", "fraction", "mean entropy (bit)", "always quasars", "mean sigma_z"]
    return f"{r['objects']:,} objects in {r['rows']:,} spectra.\n\n{_table(head, rows)}"


def _box_pull(found: Evidence) -> str:
    rows = [[b["between"], b["line"], b["n"], _cell(b["amplitude_kms"], 0), _cell(b.get("uncertainty_kms"), 0),
             _cell(b.get("chance_kms"), 0)] for b in found.figures.get("box_pull", [])
            if b.get("amplitude_kms") is not None]  # fmt: skip
    head = ["between", "line", "values", "amplitude (km/s)", "+-", "by chance"]
    return _table(head, rows) if rows else "Too few confident lines to measure it."


def _limits(found: Evidence) -> str:
    lines = [
        "Completeness and purity hold for objects like those that were measured. Objects that people or a committee "
        "chose are no random draw of the survey: in the survey both figures differ.",
        "The truth is what people or catalogues said of a spectrum; labels of quality below 2.5 are not in it.",
        "Agreement of two files says nothing of which is right.",
    ]
    unknown = [who for who, t in found.trained.items() if t.inside is None]
    if unknown:
        lines.append(f"Whether the {' and the '.join(unknown)} file was trained on some of the objects is not known.")
    inside = {who: t.inside for who, t in found.trained.items() if t.inside}
    lines += [
        f"The {who} file was trained on {n:,} of the objects: its figures are too good." for who, n in inside.items()
    ]
    return "\n".join(f"- {line}" for line in lines)


def _commands(found: Evidence) -> str:
    new, old = (found.files[who]["file"] if who in found.files else "" for who in ("new", "old"))
    against = f" --against {old}" if old else ""
    recorded = f"\n# recorded: {found.command}" if found.command else ""
    return f"```\nqnet review weights {new}{against} --report REPORT.md   # {found.run}{recorded}\n```"


def _name(found: Evidence, who: str) -> str:
    return str(found.files[who]["file"]).rsplit("/", 1)[-1] if who in found.files else ""


def _share(counts: ClassificationCounts, what: str) -> str:
    value, (lo, hi) = getattr(counts, what), getattr(counts, f"{what}_interval")
    return _interval(value, lo, hi)


def _interval(value: float | None, lo: float | None, hi: float | None) -> str:
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.4f} ({_cell(lo, 4)}–{_cell(hi, 4)})"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"


def _cell(value: Any, digits: int = 3) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    if isinstance(value, float):
        return f"{value:,.{digits}f}"
    # A bar would end the cell, a line break the table.
    return " ".join(str(value).split()).replace("|", "\\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])
