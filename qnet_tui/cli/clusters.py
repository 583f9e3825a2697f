"""``qnet cluster``: a site's Slurm settings, written, tried and shown."""

from pathlib import Path

import typer

from qnet_tui.cli.campaign import find_workspace
from qnet_tui.cli.output import JsonOption, WorkspaceOption, emit, number, progress, table

cluster_app = typer.Typer(help="A site's Slurm settings for run-al --cluster NAME.", no_args_is_help=True)
NameArgument = typer.Argument(..., metavar="NAME", help="The cluster's name, as in --cluster NAME.")


@cluster_app.command("init")
def init(
    name: str = NameArgument,
    partition: str | None = typer.Option(None, help="Partition of the jobs  [default: Slurm's]."),
    account: str | None = typer.Option(None, help="Account that pays."),
    qos: str | None = typer.Option(None, help="Quality of service."),
    constraint: str | None = typer.Option(None, help="Kind of node, as in cpu."),
    cores: int | None = typer.Option(None, min=1, help="Cores of one job."),
    processes: int | None = typer.Option(None, min=1, help="Workers of one job  [default: one a core]."),
    memory: float | None = typer.Option(None, "--memory", min=0, help="GiB of one job; 0: ask for none."),
    walltime: str | None = typer.Option(None, help="Time limit of one job, as in 04:00:00."),
    max_jobs: int | None = typer.Option(None, min=1, help="The most jobs at once."),
    interface: str | None = typer.Option(None, help="Network of workers and driver, as in hsn0."),
    driver_interface: str | None = typer.Option(None, help="Network of the driver, where it has another name."),
    scratch: str | None = typer.Option(None, help="Folder on the node for a worker's own files."),
    prologue: list[str] = typer.Option([], help="A line before the worker starts; may be repeated."),
    directive: list[str] = typer.Option([], help="One more line for sbatch, as in --exclusive; may be repeated."),
    driver: str | None = typer.Option(None, help="Where run-al --detach puts the driver: here, or batch."),
    force: bool = typer.Option(False, "--force", help="Write the table anew."),
    as_json: bool = JsonOption,
) -> None:
    """Write a site's settings, asking sinfo for what is not given. Example: qnet cluster init here --account desi"""
    from qnet_tui.workflows.cluster import init_site

    given = {
        "partition": partition, "account": account, "qos": qos, "constraint": constraint, "cores": cores,
        "processes": processes, "memory_gib": memory, "walltime": walltime, "max_jobs": max_jobs,
        "interface": interface, "driver_interface": driver_interface, "scratch": scratch,
        "prologue": tuple(prologue) or None, "directives": tuple(directive) or None, "driver": driver,
    }  # fmt: skip
    written = init_site(name, given, force=force)
    s = written.settings
    lines = [
        f"{written.file}: [{name}] {s['max_jobs']} jobs of {s['cores']} cores, {number(s['memory_gib'], 0)} GiB, "
        f"{s['walltime']} on {s['partition'] or 'the default partition'}",
        *([written.note] if written.note else []),
        f"every line there is explained; try it with: qnet cluster check {name}",
    ]
    emit(written, as_json, lines)


@cluster_app.command("check")
def check(
    name: str = NameArgument,
    workspace: Path | None = WorkspaceOption,
    folder: Path | None = typer.Option(None, help="Shared folder to try  [default: the workspace, else here]."),
    timeout: float = typer.Option(600.0, min=1, help="Seconds to wait for the job to start."),
    as_json: bool = JsonOption,
) -> None:
    """Submit one job as a run would and look round in it. Example: qnet cluster check here"""
    from qnet_tui.workflows.cluster import check_site

    with progress() as show:
        found = check_site(name, folder or _shared(workspace), timeout=timeout, progress=show)

    def judged(good: bool) -> str:
        return "OK  " if good else "MEND"

    lines = [
        f"OK    job           {found.job} on {found.node or found.host} (host {found.host}), {found.cores} cores",
        f"OK    worker there  {found.started_seconds:.1f} s after it was submitted, at {found.driver}",
        f"{judged(found.worker_reads)}  worker reads  {found.folder}"
        + ("" if found.worker_reads else "; the node does not see this folder: use one on a shared file system"),
        f"{judged(found.driver_reads)}  worker writes {found.folder}"
        + ("" if found.driver_reads else "; what the node writes is not seen here"),
        f"OK    TensorFlow    {found.tensorflow} on Python {found.python}, {found.precision_why}",
        f"OK    answered      {found.answered_seconds:.1f} s after it was submitted",
        f"next: qnet run-al --cluster {name}",
    ]
    emit({**vars(found), "ok": found.ok}, as_json, lines if found.ok else lines[:-1])
    if not found.ok:
        raise typer.Exit(1)


@cluster_app.command("show")
def show(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="One cluster  [default: all]."),
    as_json: bool = JsonOption,
) -> None:
    """Print settings and our jobs in the queue. Example: qnet cluster show"""
    from qnet_tui.workflows.cluster import show_sites

    states = show_sites(name)
    lines: list[str] = []
    for state in states:
        lines.append(f"[{state.name}]")
        lines += [f"  {key:<18}{_text(value)}" for key, value in state.settings.items() if value not in ("", (), None)]
    jobs = states[0].jobs
    if states[0].trouble:
        lines.append(f"queue: {states[0].trouble}")
    elif not jobs:
        lines.append("queue: no job of ours")
    else:
        rows = [(j["id"], j["name"], j["state"], j["nodes"] or j["reason"]) for j in jobs]
        lines += table(("job", "name", "state", "where or why"), rows)
    emit(states, as_json, lines)


def _shared(workspace: Path | None) -> Path:
    """The folder of the workspace's runs; before there is one, where we are."""
    from storage.errors import StorageError

    try:
        folder = find_workspace(workspace) / "runs"
    except StorageError:
        if workspace is not None:
            raise
        return Path.cwd()
    folder.mkdir(exist_ok=True)
    return folder


def _text(value: object) -> str:
    return "  ".join(value) if isinstance(value, tuple) else str(value)
