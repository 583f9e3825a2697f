"""The wheel carries both packages and the sample, the command is there, and the versions agree."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import qnet_tui

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_versions_agree():
    assert PROJECT["version"] == qnet_tui.__version__
    assert f"version: {qnet_tui.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {qnet_tui.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_wheel(tmp_path):
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("qnet_tui-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "storage/workspace.py" in names
    assert "qnet_tui/tui/app.py" in names
    assert any(n.endswith(".tcss") for n in names)
    sample = [n for n in names if n.startswith("qnet_tui/sample_data/")]
    assert any("coadd-" in n for n in sample)
    assert any("truth" in n for n in sample)
    assert sum(i.file_size for i in zipfile.ZipFile(wheel).infolist() if "sample_data" in i.filename) <= 15e6
    entry = next(n for n in names if n.endswith("entry_points.txt"))
    assert "qnet = qnet_tui.__main__:main" in zipfile.ZipFile(wheel).read(entry).decode()


def test_the_readme_gives_the_two_commands_on_its_first_screen():
    first = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])
    assert "pip install . && qnet demo" in first
    assert "pip install '.[test]' && pytest" in first


def test_nothing_names_a_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    texts = [ROOT / n for n in tracked if n.endswith((".py", ".md", ".toml", ".cff", ".tcss")) or n == ".ci/run"]
    pattern = re.compile("/" + "work/|/" + "farm/")
    assert not [str(p) for p in texts if p.exists() and pattern.search(p.read_text())]
