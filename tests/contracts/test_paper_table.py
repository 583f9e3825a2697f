"""docs/review.md promises a command and a test computed by hand for every figure of the paper: the promise is kept."""

import re

import pytest

from qnet_tui.workflows.review.tabs import TABS
from tests.cli.test_contract import ALL
from tests.contracts.test_feature_table import _TEST, ROOT, functions

PAGE = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `(qnet [^`]+)` \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_every_figure_and_table_of_the_results_is_there():
    items = " ".join(item for item, *_ in ROWS)
    assert {f"Fig. {n}" for n in range(1, 11)} <= set(re.findall(r"Fig\. \d+", items))
    for item in ("Eq. 3.1", "Eq. 3.2", "Eqs. 4.1, 4.2", "Table 1"):
        assert item in items


@pytest.mark.parametrize(("item", "what", "command", "test"), ROWS)
def test_the_row_names_a_command_and_tests_that_exist(item, what, command, test):
    words = command.split()[1:]
    assert words[0] in ALL or " ".join(words[:2]) in ALL
    if words[0] == "review":
        assert words[1] in TABS
    named = _TEST.findall(test)
    assert named
    for file, function in named:
        path = ROOT / "tests" / file
        assert path.is_file()
        assert not function or function in functions(path), f"{file} has no {function}"


def test_every_tab_is_captured():
    for name in TABS:
        assert f"## {name.capitalize()}\n" in PAGE
        for size in ("80x24", "120x35"):
            assert (ROOT / "docs" / "captures" / f"{name}-{size}.txt").is_file()
