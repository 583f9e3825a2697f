"""Commands that train: run-al and train."""

import sys
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
)

if TYPE_CHECKING:
    from qnet_tui.compute.slurm_site import SlurmSite
    from qnet_tui.workflows.run_al import RoundResult

OnLoginNodeOption = typer.Option(False, "--on-login-node", help="Do heavy work here though others share this node.")


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("run-al")(run_al)
    app.command()(train)


def run_al(
    workspace: Path | None = WorkspaceOption,
    preset: str = typer.Option("paper", help="paper, laptop or smoke."),
    networks: int | None = typer.Option(None, help="Networks in the committee."),
    epochs: int | None = typer.Option(None, help="Epochs of each network."),
    layers: int | None = typer.Option(None, help="Convolutions: 6 (same) or 4 (valid)."),
    filters: int | None = typer.Option(None, help="Filters of each convolution."),
    learning_rate: float | None = typer.Option(None, help="Adam's learning rate."),
    batch: int | None = typer.Option(None, help="Batch size."),
    select: int | None = typer.Option(None, help="Objects to ask about."),
    outliers: int | None = typer.Option(None, help="Also queue the N most confused that the map rejected."),
    percentile: float | None = typer.Option(None, help="Cells at or under this percentile of counts are rejected."),
    percentile_cells: str | None = typer.Option(None, help="Percentile over all cells or the nonempty ones."),
    map_side: int | None = typer.Option(None, help="Cells along one side of the map."),
    map_trained_on: str | None = typer.Option(None, help="labelled or unlabelled."),
    map_torus: bool | None = typer.Option(None, "--map-torus/--map-plane", help="Wrap the map around."),
    strategy: str | None = typer.Option(None, help="entropy, entropy-averaged, bald, margin or random."),
    c_threshold: float | None = typer.Option(None, help="Confidence above which a line counts."),
    missing_arm: bool | None = typer.Option(None, "--filter-missing-arm/--keep-missing-arm"),
    sky: bool | None = typer.Option(None, "--filter-sky/--keep-sky"),
    labelled: bool | None = typer.Option(None, "--filter-labelled/--keep-labelled"),
    keep_bad: bool | None = typer.Option(None, "--keep-bad-as-negative", help="Train on quality < 2.5 as no quasars."),
    exclude: str | None = typer.Option(None, metavar="FILE", help="Ids of other campaigns, one per line."),
    where: str | None = typer.Option(None, metavar="EXPR", help="Rows to ask about, e.g. 'snr > 1 AND flux_r > 0'."),
    supplement: str | None = typer.Option(None, metavar="TABLE:N", help="Train on only N labels of an imported table."),
    train_engine: str | None = typer.Option(None, help="graph (ours), or keras: its own fit, the reference."),
    map_engine: str | None = typer.Option(None, help="batch (ours), or minisom: its own training."),
    precision: str | None = typer.Option(None, help="auto, float32 or bfloat16 (rechecked near every threshold)."),
    race: str | None = typer.Option(None, help="When networks stop being asked: sound, exact or calibrated."),
    full: bool = typer.Option(False, "--full", help="Ask every network about every row: no early stop."),
    seed: int | None = typer.Option(None, help="Everything random comes from it."),
    jobs: int | None = JobsOption,
    cluster: str | None = typer.Option(None, metavar="NAME", help="Work in Slurm jobs, as qnet cluster init wrote."),
    resume: str | None = typer.Option(None, metavar="RUN", help="Go on with a killed or stopped run."),
    dry_run: bool = typer.Option(False, "--dry-run", help="The plan with its cost; nothing is run."),
    detach: bool = typer.Option(False, "--detach", help="Go on without this terminal."),
    on_login_node: bool = OnLoginNodeOption,
    as_json: bool = JsonOption,
) -> None:
    """One round: map, committee, entropy, selection, queue. Example: qnet run-al --preset laptop --seed 1"""
    root = find_workspace(workspace)
    from qnet_tui.workflows.cluster_sites import read_site
    from qnet_tui.workflows.login_node import refuse_heavy_round
    from qnet_tui.workflows.presets import round_settings
    from qnet_tui.workflows.run_al import resume_round, run_round

    site = None if cluster is None else read_site(cluster)
    jobs = jobs or (available_cores() if site is None else site.workers)
    here = site is None and not on_login_node
    command = "qnet " + " ".join(sys.argv[1:])
    if resume is not None:
        if here:
            refuse_heavy_round(root, resume, jobs)
        if detach:
            _detach(root, site, as_json)
            return
        with progress() as show:
            result = resume_round(root, resume, jobs=jobs, site=site, progress=show)
    else:
        settings = round_settings(
            preset, networks=networks, epochs=epochs, layers=layers, filters=filters, learning_rate=learning_rate,
            batch=batch, select=select, outliers=outliers, percentile=percentile, percentile_cells=percentile_cells,
            map_side=map_side, map_trained_on=map_trained_on, map_torus=map_torus, strategy=strategy,
            c_threshold=c_threshold, filter_missing_arm=missing_arm, filter_sky=sky, filter_labelled=labelled,
            keep_bad_as_negative=keep_bad, exclude_file=exclude, where=where, supplement=supplement, seed=seed,
            train_engine=train_engine, map_engine=map_engine, precision=precision, race="full" if full else race,
        )  # fmt: skip
        if dry_run:
            from qnet_tui.workflows.dry_run import estimate, plan_lines

            place = "this machine" if site is None else f"Slurm, {site.max_jobs} jobs of [{site.name}]"
            plan = estimate(root, settings, jobs, place)
            emit(plan, as_json, plan_lines(plan))
            return
        if here:
            refuse_heavy_round(root, settings, jobs)
        if detach:
            _detach(root, site, as_json)
            return
        with progress() as show:
            result = run_round(root, settings, jobs=jobs, site=site, command=command, progress=show)
    v = result.validation
    lines = [
        f"round {result.round} ({result.run}) in {result.seconds:.0f} s: "
        + ", ".join(f"{name} {s:.0f} s" for name, s in result.stage_seconds.items()),
        f"  trained     {result.networks} networks on {result.training:,} spectra ({result.training_qso:,} quasars)",
        f"  map         {result.map['side']}x{result.map['side']}, trained on {result.map['sample']:,} "
        f"{result.map['trained_on']} spectra: {result.rejected:,} rows in {result.rejected_cells} cells rejected",
        f"              {_trained(result.map)}, {'torus' if result.map['torus'] else 'plane'}",
        *([f"              {result.map['warning']}"] if result.map.get("warning") else []),
        "  filtered    " + (", ".join(f"{n:,} {why}" for why, n in result.filtered.items() if n) or "nothing"),
        *_scored(result),
        f"  selected    {result.selected} objects, entropy >= {number(result.entropy_cut)} bit"
        + (f", and {result.outliers} outliers" if result.outliers else ""),
    ]
    if v:
        c, p = v["completeness_interval"], v["purity_interval"]
        lines += [
            f"  committee   completeness {number(v['completeness'])} ({number(c[0])}-{number(c[1])}), "
            f"purity {number(v['purity'])} ({number(p[0])}-{number(p[1])}) on {v['n']:,} held-out objects",
            "              (most networks call it a quasar at c > 0.95)",
        ]
    if result.undisputed:
        lines.append(
            f"              {result.undisputed} of them undisputed (entropy 0): the pool has no more to ask about"
        )
    if result.not_copied:
        lines.append(
            f"  {result.not_copied} chosen spectra could not be copied (see {result.run}); the next took their place"
        )
    lines += [f"  failed {one['task']}: {one['error']}" for one in result.failed_networks]
    lines.append("next: qnet label")
    emit(result, as_json, lines)


def _trained(facts: dict[str, Any]) -> str:
    """How the map was trained."""
    if facts.get("engine") == "batch":
        return (
            f"sigma {facts['sigma']}, {facts['epochs']} epochs of the batch trainer, the best of {facts['starts']} "
            f"starts: quantisation error {number(facts['quantization_error'], 2)}, topographic "
            f"{number(facts['topographic_error'], 3)}"
        )
    return f"sigma {facts['sigma']}, rate {facts['learning_rate']}, {facts['iterations']:,} updates of minisom"


def _scored(result: "RoundResult") -> list[str]:
    """What the committee was asked, and what a race of the rows promises of the selection."""
    race, asked, full = result.race, result.evaluations, result.evaluations_full
    objects = f"{result.unique:,} objects to choose from"
    if race["rule"] == "full":
        why = "" if race["why"] == "as asked" else f" ({race['why']}: nothing is raced)"
        return [f"  scored      {asked:,} network evaluations{why}; {objects}"]
    if not race["looks"]:
        cut = number(race["h_low"], 2)
        return [f"  scored      {asked:,} network evaluations (at {cut} bit no row could leave the race); {objects}"]
    lines = [
        f"  scored      {asked:,} of {full:,} network evaluations ({number(full / max(asked, 1), 1)}x fewer; bound "
        f"{number(race['bound'], 1)}x at {number(race['h_low'], 2)} bit); {objects}",
        f"              {race['rule']} race: every selected object has all {race['networks']} calls; expected to be "
        f"lost: {_few(race['expected_lost'])} of {race['found']:,}",
    ]
    if race["note"]:
        lines.append(f"              {race['note']}")
    if race["below_h_low"]:
        lines.append(
            f"              {race['below_h_low']} selected objects have less entropy than the race was run for: "
            "others took the place of what could not be copied or was queued meanwhile"
        )
    apart = race.get("outliers")
    if apart and apart["rule"] != "full":
        lost = f"{_few(apart['expected_lost'])} of {apart['found']:,}"
        lines.append(
            f"              outliers: {apart['evaluations']:,} of {apart['evaluations_full']:,} evaluations at "
            f"{number(apart['h_low'], 2)} bit; expected to be lost: {lost}"
        )
    return lines


def _few(expected: float) -> str:
    """A small expected number, with a digit that says something: 3, 0.4, 0.002."""
    return f"{expected:.1g}" if expected < 1 else f"{expected:.0f}"


def _detach(root: Path, site: "SlurmSite | None", as_json: bool) -> None:
    """Start the same command without ``--detach`` as a session of its own, or as a job where the site wants that."""
    arguments = [a for a in sys.argv[1:] if a not in {"--detach", "--json"}]
    if not any(a in {"-w", "--workspace"} or a.startswith("--workspace=") for a in arguments):
        arguments += ["--workspace", str(root)]
    log = root / "runs" / "detached.log"
    if site is not None and site.driver == "batch":
        from qnet_tui.workflows.batch_driver import submit_driver

        job = submit_driver(site, arguments, log)
        lines = [f"job {job} drives the run once Slurm starts it; its words are in {log}"]
        lines += ["follow it with: qnet runs watch", f"stop it with: scancel {job}"]
        emit({"job": job, "log": str(log)}, as_json, lines)
        return
    from qnet_tui.workflows.run_al import detach

    pid = detach(arguments, log)
    lines = [f"process {pid} goes on without this terminal; its words are in {log}", "follow it with: qnet runs watch"]
    emit({"pid": pid, "log": str(log)}, as_json, lines)


def train(
    workspace: Path | None = WorkspaceOption,
    truth: str | None = typer.Option(None, metavar="round:N", help="The truth as it was at round N  [default: now]"),
    preset: str = typer.Option("paper", help="Architecture of paper, laptop or smoke."),
    layers: int | None = typer.Option(None, help="Convolutions: 6 (same) or 4 (valid)."),
    filters: int | None = typer.Option(None, help="Filters of each convolution."),
    epochs: int = typer.Option(100, min=1, help="Epochs; the best one is kept."),
    learning_rate: float = typer.Option(1e-3, help="Adam's learning rate."),
    batch: int | None = typer.Option(None, help="Batch size."),
    keep_bad: bool | None = typer.Option(None, "--keep-bad-as-negative", help="Train on quality < 2.5 as no quasars."),
    supplement: str | None = typer.Option(None, metavar="TABLE:N", help="Train on only N labels of an imported table."),
    train_engine: str | None = typer.Option(None, help="graph (ours), or keras: its own fit, the reference."),
    seed: int | None = typer.Option(None, help="Seed."),
    resume: str | None = typer.Option(None, metavar="RUN", help="Go on with a killed or failed run."),
    on_login_node: bool = OnLoginNodeOption,
    out: Path | None = typer.Option(None, "--out", "-o", help="Also write the weights file here."),
    as_json: bool = JsonOption,
) -> None:
    """Train one network on the truth: the file for the pipeline. Example: qnet train --out qnet-al2.h5"""
    from qnet_tui.errors import BadInput
    from qnet_tui.workflows.login_node import refuse_heavy_training
    from qnet_tui.workflows.presets import round_settings
    from qnet_tui.workflows.train import resume_train
    from qnet_tui.workflows.train import train as verb

    at_round = None
    if truth is not None:
        word, _, digits = truth.partition(":")
        if word != "round" or not digits.isdigit():
            raise BadInput(f"--truth {truth!r} is not round:N", mend="for example --truth round:1")
        at_round = int(digits)
    settings = round_settings(
        preset, layers=layers, filters=filters, batch=batch, keep_bad_as_negative=keep_bad, supplement=supplement,
        seed=seed, train_engine=train_engine,
    )  # fmt: skip
    root = find_workspace(workspace)
    if resume is None and not on_login_node:
        refuse_heavy_training(root, settings, epochs)
    with progress() as show:
        if resume is not None:
            result = resume_train(root, resume, target=out, progress=show)
        else:
            result = verb(
                root, settings, at_round=at_round, epochs=epochs, learning_rate=learning_rate,
                target=out, command="qnet " + " ".join(sys.argv[1:]), progress=show,
            )  # fmt: skip
    lines = [
        f"{result.run}: {result.epochs} epochs on {result.training:,} spectra ({result.training_qso:,} quasars) "
        f"in {result.seconds:.0f} s; epoch {result.best_epoch} is kept",
        f"  completeness {number(result.completeness)}, purity {number(result.purity)} on {result.validation:,} "
        f"held-out objects (tp {number(result.tp)}, fp {number(result.fp)}, fn {number(result.fn)})",
        f"  weights      {result.weights}",
    ]
    emit(result, as_json, lines)
