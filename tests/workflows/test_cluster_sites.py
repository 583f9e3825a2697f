"""The file of a person's Slurm sites, the suggestions from sinfo, the driver's job, the guard of login nodes."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from qnet_tui.compute import slurm_client
from qnet_tui.compute.slurm_site import SlurmSite
from qnet_tui.errors import BadInput, QnetError
from qnet_tui.workflows import cluster, login_node
from qnet_tui.workflows.batch_driver import driver_script
from qnet_tui.workflows.cluster_sites import EXPLAINED, clusters_file, read_site, read_sites, table_text, write_site
from tests.small_campaign import tiny_round

SINFO = "debug*|30:00|128|515000\nregular|2-00:00:00|128+|515000+\nshared|infinite|64|1000\n"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return clusters_file()


@pytest.fixture
def sinfo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_client, "ask", lambda *_command: SINFO)


def test_a_table_comes_back_as_it_was_written_and_every_key_is_explained(config: Path) -> None:
    site = SlurmSite(
        "perlmutter", partition="regular", directives=("--exclusive", '--comment="a \\ b"'), cores=128, processes=100,
        memory_gib=0.0, walltime="1-00:00:00", prologue=("module load python", "export Å=1"), driver="batch",
    )  # fmt: skip
    assert write_site(site) == config
    assert read_site("perlmutter") == site
    assert set(EXPLAINED) == {f.name for f in fields(SlurmSite)} - {"name"}
    assert read_sites() == {"perlmutter": site}
    assert tomllib.loads(table_text(SlurmSite("a")))["a"]["kind"] == "slurm"


def test_other_tables_are_left_as_they_are(config: Path) -> None:
    for name in ("a", "b", "c"):
        write_site(SlurmSite(name))
    config.write_text(config.read_text().replace("[c]", "# my own words\n[c]"))
    with pytest.raises(BadInput, match=r"\[b\] is there already; edit it, or write it anew with --force"):
        write_site(SlurmSite("b", cores=2))
    write_site(SlurmSite("a", cores=3), force=True)
    write_site(SlurmSite("c", cores=2), force=True)
    sites = read_sites()
    assert {name: site.cores for name, site in sites.items()} == {"a": 3, "b": 4, "c": 2}
    with pytest.raises(BadInput, match="cannot name a cluster"):
        write_site(SlurmSite("a b"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a", "is no TOML"),
        ("a = 1", "a stands outside a table"),
        ('[a]\nkind = "pbs"', "kind 'pbs' is not known"),
        ("[a]\ncore = 1", "core means nothing here; keys are partition"),
        ('[a]\ncores = "4"', "cores is a whole number"),
        ("[a]\ncores = true", "cores is a whole number"),
        ('[a]\nmemory_gib = "4"', "memory_gib is a number"),
        ("[a]\npartition = 4", "partition is a text in quotes"),
        ('[a]\nprologue = "module load"', "prologue is a list of texts"),
        ('[a]\nwalltime = "soon"', "is no time of Slurm"),
    ],
)
def test_a_file_that_means_nothing_is_one_line(config: Path, text: str, words: str) -> None:
    config.parent.mkdir(parents=True)
    config.write_text(text)
    with pytest.raises(BadInput) as error:
        read_sites()
    assert words in str(error.value)
    assert str(config) in str(error.value)


def test_an_unknown_site_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"no cluster is called 'x' \(known: none yet\); qnet cluster init x"):
        read_site("x")
    write_site(SlurmSite("a"))
    with pytest.raises(BadInput, match=r"known: a"):
        read_site("x")
    clusters_file().unlink()
    with pytest.raises(BadInput, match=r"no cluster is described"):
        cluster.show_sites()


@pytest.mark.usefixtures("sinfo")
def test_sinfo_suggests_what_is_not_given() -> None:
    limits = {p.name: (p.default, p.cores, p.minutes) for p in cluster.partitions()}
    assert limits == {"debug": (True, 128, 30.0), "regular": (False, 128, 2880.0), "shared": (False, 64, None)}
    made = cluster.init_site("d", {}).settings
    assert (made["partition"], made["cores"], made["memory_gib"], made["walltime"]) == ("debug", 16, 32.0, "00:30:00")
    made = cluster.init_site("r", {"partition": "regular", "cores": 128, "account": "desi"}).settings
    assert (made["account"], made["memory_gib"], made["walltime"]) == ("desi", 256.0, "04:00:00")
    # Little memory: no more than the cores' part of the node.
    made = cluster.init_site("s", {"partition": "shared", "walltime": "10"}).settings
    assert (made["memory_gib"], made["walltime"]) == (1.0, "10")
    with pytest.raises(BadInput, match=r"there is no partition 'x' \(sinfo lists debug, regular, shared\)"):
        cluster.init_site("x", {"partition": "x"})


def test_without_slurm_a_site_is_written_only_when_its_partition_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_command: str) -> str:
        raise QnetError("there is no sinfo on this machine")

    monkeypatch.setattr(slurm_client, "ask", nothing)
    with pytest.raises(QnetError, match="there is no sinfo"):
        cluster.init_site("a", {})
    assert cluster.init_site("a", {"partition": "x"}).note == "written unchecked: there is no sinfo on this machine"
    (state,) = cluster.show_sites()
    assert (state.trouble, state.settings["partition"]) == ("there is no sinfo on this machine", "x")


def test_the_driver_runs_the_same_command_in_a_job_of_its_own(tmp_path: Path) -> None:
    site = SlurmSite(
        "a", partition="regular", account="desi", qos="regular", constraint="cpu", prologue=("module load python",),
        driver="batch", driver_partition="workflow", driver_walltime="2-00:00:00", driver_memory_gib=1.5,
    )  # fmt: skip
    log = tmp_path / "with blank" / "log"
    lines = driver_script(site, ["run-al", "--where", "snr > 1", "--cluster", "a"], log).splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert f'#SBATCH --output="{log}"' in lines
    for words in ("--partition=workflow", "--account=desi", "--time=2-00:00:00", "--mem=1536M", "--qos=regular"):
        assert f"#SBATCH {words}" in lines
    # The shell becomes the driver: Slurm's warning reaches it.
    assert "#SBATCH --signal=B:TERM@120" in lines
    assert lines[-2] == "module load python"
    assert lines[-1].startswith("exec ")
    assert lines[-1].endswith("-m qnet_tui run-al --where 'snr > 1' --cluster a")
    own = driver_script(SlurmSite("a", qos="regular", driver_directives=("--qos=workflow",)), [], log)
    assert "--qos=workflow" in own
    assert "--qos=regular" not in own


def test_hours_of_work_are_refused_on_a_login_node(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heavy, light = tiny_round(networks=100, epochs=3000, filters=100), tiny_round()
    monkeypatch.setattr(slurm_client, "has_slurm", lambda: True)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(BadInput, match=r"core hours are too much for a login node .*--cluster NAME.*--on-login-node"):
        login_node.refuse_heavy_round(workspace, heavy, 2)
    login_node.refuse_heavy_round(workspace, light, 2)
    with pytest.raises(BadInput, match=r"core hours .* srun or salloc gives you a node"):
        login_node.refuse_heavy_training(workspace, heavy, 100_000)
    login_node.refuse_heavy_training(workspace, heavy, 100)
    # Inside a job, or where there is no Slurm, nobody is in the way.
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    login_node.refuse_heavy_round(workspace, heavy, 2)
    monkeypatch.delenv("SLURM_JOB_ID")
    monkeypatch.setattr(slurm_client, "has_slurm", lambda: False)
    login_node.refuse_heavy_round(workspace, heavy, 2)
