"""The house rules of docs/developing.md: import contracts, file sizes, names that say something."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "qnet_tui").rglob("*.py"), *(ROOT / "storage").rglob("*.py")])
LONGEST = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def test_import_contracts():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout


def test_no_file_outgrows_its_subject():
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text().splitlines())) > LONGEST}
    assert not long


def test_no_name_says_nothing():
    assert not [p for p in SOURCES if set(p.relative_to(ROOT).with_suffix("").parts) & VAGUE]


def test_every_module_says_what_it_is_for():
    silent = [p for p in SOURCES if (text := p.read_text()) and not text.lstrip("#!/ \n").startswith('"""')]
    assert not [p for p in silent if not p.read_text().splitlines()[0].startswith("# ruff")]


def test_no_print_in_the_library():
    assert not [p for p in SOURCES if "\n    print(" in p.read_text()]
