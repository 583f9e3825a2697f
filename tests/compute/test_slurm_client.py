"""What Slurm's commands say, and what is made of it; the commands are small scripts here."""

import os
import stat
from pathlib import Path

import pytest

from qnet_tui.compute import slurm_client
from qnet_tui.errors import QnetError


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def make(name: str, script: str) -> None:
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return make


def test_the_line_that_says_why_is_found() -> None:
    said = (
        "sbatch: error: invalid partition specified: nope\n"
        "sbatch: error: Batch job submission failed: Invalid partition name specified\n"
    )
    assert slurm_client.complaint("sbatch", said) == (
        "sbatch: Batch job submission failed: Invalid partition name specified"
    )
    usage = "sbatch: unrecognized option '--frog'\nTry \"sbatch --help\" for more information\n"
    assert slurm_client.complaint("sbatch", usage) == "sbatch: unrecognized option '--frog'"
    assert slurm_client.complaint("squeue", " \n") == "squeue: failed and said nothing"


def test_a_program_that_is_missing_fails_or_hangs_is_one_line(program, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QnetError, match=r"^there is no sbatchx on this machine; run this on a node"):
        slurm_client.ask("sbatchx")
    program("sinfo", "echo 'sinfo: error: no controller' >&2; exit 1\n")
    with pytest.raises(QnetError, match=r"^sinfo: no controller$"):
        slurm_client.ask("sinfo")
    monkeypatch.setattr(slurm_client, "SECONDS", 0.2)
    program("sinfo", "exec sleep 20\n")
    with pytest.raises(QnetError, match=r"^sinfo did not answer within 0 s; is Slurm's controller up\?$"):
        slurm_client.ask("sinfo")


def test_the_queue_is_read_and_asked_for_our_jobs_only(program) -> None:
    program(
        "squeue",
        'echo "$@" > "$(dirname "$0")/asked"\n'
        "echo '12|qnet-ab|RUNNING|None|nid00[1-2]'\n"
        "echo '13|qnet-ab|PENDING|Resources|'\n"
        "echo 'slurm_load_jobs warning'\n",
    )
    one, two = slurm_client.queued_jobs("qnet-ab")
    assert one.words == "job 12 RUNNING on nid00[1-2]"
    assert two.words == "job 13 PENDING (Resources)"
    asked = Path(os.environ["PATH"].split(":")[0], "asked").read_text()
    assert "--name qnet-ab" in asked
    assert "--user" in asked


def test_the_wishes_of_the_job_that_we_run_in_are_not_handed_on(program, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLURM_CONF", "SLURM_MEM_PER_NODE", "SBATCH_PARTITION", "SLURMD_NODENAME", "SLURM_JOB_ID"):
        monkeypatch.setenv(name, "x")
    program("sbatch", "env; cat\n")
    said = slurm_client.ask("sbatch", stdin="the script")
    assert {line.split("=")[0] for line in said.splitlines() if line.startswith(("SLURM", "SBATCH"))} == {"SLURM_CONF"}
    assert said.endswith("the script")
    assert slurm_client.in_allocation()
    assert slurm_client.has_slurm()
