"""The commands of the documentation, run as they stand there: in one folder, in their order, with a small committee.

A block that begins with three backticks and ``console`` holds commands, each behind ``$``. Whatever needs a screen must
get as far as asking for a terminal, and what people would do there is done by other commands; everything else must end
well. Sizes are reduced here and nowhere else.
"""

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_campaign import TINY

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/campaign.md",)

_SMALL = ["--preset", "smoke", *(w for n, v in TINY.items() if n != "block_rows" for w in (f"--{n}", str(v)))]
# What makes a command small; the words that it replaces must stand in the documentation.
SMALLER: tuple[tuple[list[str], list[str], list[str]], ...] = (
    (["qnet", "run-al"], ["--preset", "laptop"], [*_SMALL, "--outliers", "2", "--jobs", "1"]),
    (["qnet", "train"], [], ["--filters", "4", "--epochs", "2"]),
    (["qnet", "review", "datasets"], ["--bootstraps", "10"],
     ["--bootstraps", "1", "--epochs", "2", "--filters", "4", "--jobs", "1"]),
    (["qnet", "study"], ["--seeds", "3"],
     ["--seeds", "1", "--start", "30", "--ask", "5", "--rounds", "1", "--networks", "2", "--filters", "4",
      "--steps", "4", "--strategies", "entropy,random", "--map", "off", "--jobs", "1"]),
)  # fmt: skip
SCREENS = (["qnet", "label"], ["qnet", "merge"])


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def smaller(words: list[str]) -> list[str]:
    for begins, replaced, by in SMALLER:
        if words[: len(begins)] == begins:
            at = next((i for i in range(len(words)) if words[i : i + len(replaced)] == replaced), None)
            assert at is not None, f"{shlex.join(words)} has no {' '.join(replaced)}"
            return [*words[:at], *words[at + len(replaced) :], *by] if replaced else [*words, *by]
    return words


@pytest.fixture
def place(tmp_path: Path, survey: Path) -> Path:
    """A folder with what the page begins with: a survey, a truth table, a published weights file."""
    from qnet_tui.quasarnet.weights_file import write_weights
    from tests.quasarnet.small import SMALL, random_weights

    (tmp_path / "edr").mkdir()
    for file in survey.glob("*.fits"):
        shutil.copy(file, tmp_path / "edr")
    shutil.copy(survey / "truth-labelled.csv", tmp_path / "truth_table_QSO_v1.2.csv")
    write_weights(tmp_path / "old.h5", random_weights(SMALL, 1), {"seed": 1})
    return tmp_path


def qnet(words: list[str], where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qnet_tui", *words],
        cwd=where, env={**os.environ, "COLUMNS": "100"}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


def inspect(where: Path, truth: Path) -> None:
    """Three people who know the truth answer for every object of the round, as Prospect's files."""
    with truth.open() as stream:
        known = {row["TARGETID"]: row for row in csv.DictReader(stream)}
    with (where / "rounds" / "001" / "selection.csv").open() as stream:
        asked = [row["TARGETID"] for row in csv.DictReader(stream)]
    names = ("TARGETID", "VI_scanner", "VI_quality", "VI_issue", "VI_z", "VI_spectype", "VI_comment")
    for code in ("ABC", "DEF", "GHI"):
        lines = [
            (
                one,
                code,
                "4" if float(t["VI_QUALITY"]) >= 2.5 else "1",
                "",
                t["VI_Z"] or "0",
                t["VI_CLASS"] or "STAR",
                "",
            )
            for one in asked
            if (t := known.get(one))
        ]
        file = where.parent / f"desi-vi_1_{code}.csv"
        file.write_text("\n".join(",".join(line) for line in [names, *lines]) + "\n")
        done = qnet(["vi", "import", str(file)], where)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_page(page: str, place: Path, survey: Path) -> None:
    where = place
    found = commands(ROOT / page)
    assert len(found) > 20
    for command in found:
        words = shlex.split(command)
        if words[0] == "cd":
            where = where / words[1]
            continue
        assert words[0] == "qnet"
        done = qnet(smaller(words)[1:], where)
        if words[:2] in SCREENS:
            assert done.returncode == 2, (command, done.stderr)
            assert "needs a terminal" in done.stderr, (command, done.stderr)
        else:
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr
        if words[1] == "label":
            inspect(where, survey / "truth-sealed.csv")
        elif words[1] == "merge":
            done = qnet(["merge", "--as", "XYZ", "--accept-agreed", "--unseen"], where)
            assert done.returncode == 0, done.stderr
