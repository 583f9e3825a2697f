"""``qnet study``: is active learning worth it? Strategies against random labels on a fully labelled pool."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import (
    JobsOption,
    JsonOption,
    WorkspaceOption,
    available_cores,
    emit,
    number,
    progress,
    table,
)

if TYPE_CHECKING:
    from qnet_tui.workflows.study import StudyResult

SHOWN = {"c_at_p95": "C at P 95 %", "ap": "area", "completeness": "C at c .95", "purity": "P at c .95",
         "completeness_z": "C right z"}  # fmt: skip
"""Measures in the tables; --json has all."""


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(study)


def study(
    workspace: Path | None = WorkspaceOption,
    start: int = typer.Option(1500, help="Secure labels to begin with."),
    ask: int = typer.Option(300, help="Labels to ask for in a round."),
    rounds: int = typer.Option(2, help="Rounds."),
    networks: int = typer.Option(6, help="Networks in a committee."),
    filters: int = typer.Option(24, help="Filters of each convolution."),
    steps: int = typer.Option(1500, help="Batches that each network trains on, whatever the number of labels."),
    batch: int = typer.Option(128, help="Spectra in a batch."),
    learning_rate: float = typer.Option(1e-3, help="Adam's learning rate."),
    seeds: int = typer.Option(3, help="Replicas: other starts, draws and networks."),
    strategies: str = typer.Option("entropy,entropy-averaged,bald,margin,random", help="Which, between commas."),
    map_: str = typer.Option("both", "--map", help="Reject by the map: both (with and without), on or off."),
    random_labels: str | None = typer.Option(None, metavar="N,N,…", help="Counts of the random curve [default: 6×ask]"),
    start_bias: str = typer.Option("bright", help="The start is drawn by S/N (bright), or evenly (none)."),
    seed: int = typer.Option(91701, help="Everything random comes from it."),
    jobs: int | None = JobsOption,
    resume: str | None = typer.Option(None, metavar="RUN", help="Go on with a killed or stopped study."),
    show: str | None = typer.Option(None, metavar="RUN", help="Print what a study found, or has found so far."),
    dry_run: bool = typer.Option(False, "--dry-run", help="What it would train and cost; nothing is run."),
    on_login_node: bool = typer.Option(False, "--on-login-node", help="Do heavy work here though others share it."),
    as_json: bool = JsonOption,
) -> None:
    """What a chosen label is worth in random ones, on labelled truth. Example: qnet study --seeds 3"""
    from qnet_tui.workflows.study import resume_study, run_study, show_study
    from qnet_tui.workflows.study_cost import estimate_study, refuse_heavy_study
    from qnet_tui.workflows.study_settings import StudySettings

    root = find_workspace(workspace)
    if show is not None:
        result, _ = show_study(root, show)
        emit(result, as_json, _lines(result))
        return
    jobs = jobs or available_cores()
    if resume is not None:
        if not on_login_node:
            refuse_heavy_study(root, resume)
        with progress() as tell:
            result = resume_study(root, resume, jobs=jobs, progress=tell)
        emit(result, as_json, _lines(result))
        return
    settings = StudySettings(
        start=start, ask=ask, rounds=rounds, networks=networks, filters=filters, steps=steps, batch=batch,
        learning_rate=learning_rate, seeds=seeds, strategies=tuple(_words(strategies)), map=map_,
        random_labels=_counts(random_labels), start_bias=start_bias, seed=seed,
    )  # fmt: skip
    if dry_run:
        plan = estimate_study(root, settings, jobs)
        emit(plan, as_json, _plan_lines(plan))
        return
    if not on_login_node:
        refuse_heavy_study(root, settings)
    with progress() as tell:
        result = run_study(root, settings, jobs=jobs, command="qnet " + " ".join(sys.argv[1:]), progress=tell)
    emit(result, as_json, _lines(result))


def _counts(text: str | None) -> tuple[int, ...]:
    from qnet_tui.errors import BadInput

    words = _words(text or "")
    if not all(word.isdigit() for word in words):
        raise BadInput(
            f"--random-labels {text!r} are not whole numbers", mend="for example --random-labels 300,600,900"
        )
    return tuple(int(word) for word in words)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _plan_lines(plan: dict[str, Any]) -> Sequence[str]:
    return [
        f"pool {plan['pool']:,} objects ({plan['pool_qso']:,} quasars, {plan['pool_unreadable']:,} unreadable), "
        f"measured on {plan['test']:,} ({plan['test_qso']:,} quasars)",
        "  left out    " + (", ".join(f"{n:,} {why}" for why, n in plan["left_out"].items() if n) or "nothing"),
        f"  arms        {', '.join(plan['arms'])}; random labels {', '.join(map(str, plan['random_labels']))}",
        f"  committees  {plan['committees']:,} of {plan['replicas']} replicas: {plan['networks']:,} networks of "
        f"{plan['steps']:,} steps, {plan['maps']} maps",
        f"  work        {plan['training_samples']:,} training samples, {plan['evaluations']:,} evaluations",
        f"  time        {plan['core_hours']:.1f} core hours, {plan['hours']:.1f} h with {plan['jobs']} workers; rates "
        f"{plan['rates_from']}",
    ]


def _lines(result: "StudyResult") -> list[str]:
    """Random curve, gains and worth of the arms after each round, verdicts."""
    s = result.settings
    lines = [
        f"{result.run} {result.state}: {result.replicas} replicas, {result.committees_done} of {result.committees} "
        f"committees of {s['networks']} networks; start {s['start']:,} labels, {s['rounds']} rounds of {s['ask']}",
    ]
    if result.plan:
        p = result.plan
        lines.append(
            f"  pool {p['pool']:,} objects, {p['pool_unreadable']:,} of them unreadable (a label spent, nothing "
            f"learnt); measured on {p['test']:,} objects, {p['test_qso']:,} quasars"
        )
    if result.random_curve:
        lines += ["", "random labels: one network, mean over replicas"]
        lines += table(
            ("spent", "unreadable", *SHOWN.values()),
            [(c["spent"], _percent(c["unreadable_share"] if c["spent"] else math.nan),
              *(number(c[m]["mean"], 4) for m in SHOWN))
             for c in result.random_curve],
        )  # fmt: skip
    for spent in sorted({a["worth"]["spent"] for a in result.arms}):
        by = {(a["arm"], a["measure"]): a["worth"] for a in result.arms if a["worth"]["spent"] == spent}
        arms = list(dict.fromkeys(name for name, _ in by))
        lines += ["", f"after {spent:,} labels: arm - random labels, paired, with the half width of the 95 % interval"]
        lines += table(("arm", *SHOWN.values()), [(n, *(_gain(by[n, m]["difference"]) for m in SHOWN)) for n in arms])
        lines += [
            "",
            f"after {spent:,} labels: what one is worth in random ones, 95 % interval (> and <: the curve ends)",
        ]
        lines += table(("arm", *SHOWN.values()), [(n, *(_worth(by[n, m]) for m in SHOWN)) for n in arms])
    if result.verdicts:
        lines += [""]
        lines += [
            f"{v['sentence']}; its picks: {_percent(v['qso_share'])} quasars, "
            f"{_percent(v['unreadable_share'])} unreadable"
            for v in result.verdicts
        ]
    if result.advice:
        lines += ["", result.advice]
    return lines


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %" if math.isfinite(value) else "-"


def _gain(gain: dict[str, Any]) -> str:
    if not gain["n"]:
        return "-"
    if gain["n"] < 2:
        return f"{gain['mean']:+.4f}"
    return f"{gain['mean']:+.4f} ± {gain['hi'] - gain['mean']:.4f}"


def _worth(worth: dict[str, Any]) -> str:
    def words(one: dict[str, Any]) -> str:
        sign = {"": "", "at least": ">", "at most": "<"}[one["censored"]]
        return f"{sign}{one['value']:.2f}" if math.isfinite(one["value"]) else "-"

    if not math.isfinite(worth["lo"]["value"]):
        return words(worth["worth"])
    return f"{words(worth['worth'])} ({words(worth['lo'])} to {words(worth['hi'])})"
