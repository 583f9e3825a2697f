"""``~/.config/qnet/clusters.toml``: the Slurm sites that one person uses, a table each, with every line explained."""

import json
import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.whole_files import write_whole
from qnet_tui.workflows.user_keys import keys_file

EXPLAINED: dict[str, str] = {
    "partition": "partition of the jobs (sinfo lists them); empty: Slurm's default",
    "account": "account that pays; empty: your default one",
    "qos": "quality of service; empty: the default",
    "constraint": 'kind of node, as in "cpu" at NERSC; empty: any',
    "directives": 'more lines for sbatch, as in ["--exclusive"]; they win over what qnet writes itself',
    "cores": "cores of one job",
    "processes": "workers of one job, one thread each (left out: one a core); fewer when memory is short",
    "memory_gib": "GiB of one job: 1.5 to 2 a worker; 0: ask for none (nodes given whole)",
    "walltime": "time limit of one job; a job that ends is replaced, its tasks in hand are done again",
    "max_jobs": "the most jobs at once; fewer are asked for when fewer tasks are left",
    "interface": 'network of the workers and the driver, as in "hsn0" or "ib0"; empty: that of the default route',
    "driver_interface": "network of the driver on the login node, where it has another name; empty: the same",
    "driver_port": "port of the driver, where a firewall lets only some through; 0: any",
    "scratch": "folder on the node for a worker's own files; variables are those of the node",
    "prologue": 'lines before the worker starts, as in ["module load python"]; its Python is the one that runs qnet',
    "worker_extra": "more options of Dask's worker",
    "start_minutes": "how long a run waits while no job has started",
    "driver": '"here": run-al --detach leaves the driver on this node; "batch": it goes into a job of its own',
    "driver_partition": "partition of that job, as in a workflow queue; empty: that of the workers",
    "driver_walltime": "its time limit: the longest that a round may take; empty: that of the workers",
    "driver_cores": "its cores: it makes the map and the selection",
    "driver_memory_gib": "its GiB; 0: ask for none",
    "driver_directives": "more lines for its sbatch",
}
"""The keys of a table in the order in which they are written, and what is said beside each."""

KIND = "slurm"


def clusters_file() -> Path:
    """Where the file is: beside the one with the person's keys."""
    return keys_file().with_name("clusters.toml")


def read_sites(path: Path | None = None) -> dict[str, SlurmSite]:
    """Every site of the file by name; empty without a file.

    Errors: :class:`BadInput` when it is no TOML or holds a key or value that means nothing; QnetError when it cannot
    be read.
    """
    path = path or clusters_file()
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"is no TOML: {error}", mend="mend it, or write a new one: qnet cluster init", file=path
        ) from None
    except OSError as error:
        raise QnetError(f"cannot be read ({error.strerror})", file=path) from None
    return {name: _site(name, table, path) for name, table in body.items()}


def read_site(name: str, path: Path | None = None) -> SlurmSite:
    """The site called ``name``. Errors: as :func:`read_sites`; BadInput when there is none."""
    path = path or clusters_file()
    sites = read_sites(path)
    if name not in sites:
        known = ", ".join(sites) or "none yet"
        raise BadInput(f"no cluster is called {name!r} (known: {known})", mend=f"qnet cluster init {name}", file=path)
    return sites[name]


def write_site(site: SlurmSite, *, force: bool = False, path: Path | None = None) -> Path:
    """Put the site's table into the file, leaving the others as they are; return the file.

    Errors: :class:`BadInput` when the name cannot be a table's or is taken (unless ``force``).
    """
    path = path or clusters_file()
    if not re.fullmatch(r"[A-Za-z0-9_-]+", site.name):
        raise BadInput(f"{site.name!r} cannot name a cluster", mend="use letters, digits, - and _")
    if site.name in read_sites(path):
        if not force:
            raise BadInput(f"[{site.name}] is there already", mend="edit it, or write it anew with --force", file=path)
        kept = _without(path.read_text(encoding="utf-8"), site.name)
    else:
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
    text = (kept.rstrip("\n") + "\n\n" if kept.strip() else "") + table_text(site)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QnetError(f"cannot be made: {error.strerror}", file=path.parent) from None
    write_whole(path, text.encode())
    return path


def table_text(site: SlurmSite) -> str:
    """The site as a table of TOML with a comment above every line."""
    lines = [f"[{site.name}]", f'kind = "{KIND}"']
    for key, words in EXPLAINED.items():
        value = getattr(site, key)
        written = f"{key} = {_toml(value)}" if value is not None else f"# {key} = {site.workers_of_a_job}"
        lines += [f"# {words}", written]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    # Texts of JSON are texts of TOML.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _without(text: str, name: str) -> str:
    """``text`` without the table ``name``: from its header to the next one."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        header = re.match(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]", line)
        if header:
            inside = header.group(1).strip() == name
        if not inside:
            kept.append(line)
    return "".join(kept)


def _site(name: str, table: Any, path: Path) -> SlurmSite:
    if not isinstance(table, dict):
        raise BadInput(f"{name} stands outside a table", mend="every cluster is a [NAME] with lines", file=path)
    if table.get("kind", KIND) != KIND:
        raise BadInput(f"[{name}] kind {table['kind']!r} is not known", mend=f'kind = "{KIND}"', file=path)
    known = {f.name: f for f in fields(SlurmSite) if f.name != "name"}
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key == "kind":
            continue
        if key not in known:
            raise BadInput(f"[{name}] {key} means nothing here", mend=f"keys are {', '.join(known)}", file=path)
        usual = known[key].default
        given[key] = _checked(f"[{name}] {key}", value, None if usual is MISSING else usual, path)
    try:
        return SlurmSite(name, **given)
    except BadInput as error:
        raise BadInput(error.what, mend=error.mend, file=path) from None


def _checked(what: str, value: Any, usual: Any, path: Path) -> Any:
    """``value`` as the type of the usual one (None: a whole number)."""
    if isinstance(usual, tuple):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise BadInput(f"{what} is a list of texts", file=path)
    if isinstance(usual, str):
        if isinstance(value, str) and "\n" not in value:
            return value
        raise BadInput(f"{what} is a text in quotes", file=path)
    number = (int, float) if isinstance(usual, float) else int
    if isinstance(value, number) and not isinstance(value, bool):
        return value
    raise BadInput(f"{what} is a {'' if isinstance(usual, float) else 'whole '}number", file=path)
