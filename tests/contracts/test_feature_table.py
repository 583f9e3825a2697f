"""docs/inspection.md promises a command or key and a test for every feature: the promise is kept."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from qnet_tui.inspection.keys import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "inspection.md"
FEATURES = 34
_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_TEST = re.compile(r"`((?:tests/)?[\w/]+\.py)(?:::(\w+))?`")


def rows() -> list[tuple[int, str, str, str]]:
    found = _ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    return [(int(number), feature, how, test) for number, feature, how, test in found]


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    names = {node.name for node in ast.walk(tree) if isinstance(node, kinds)}
    # A hypothesis state machine is run under the name that its module gives to its TestCase.
    targets = (target for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets)
    return frozenset(names | {target.id for target in targets if isinstance(target, ast.Name)})


def test_every_feature_of_the_comparison_has_its_row():
    assert [number for number, *_ in rows()] == list(range(1, FEATURES + 1))


@pytest.mark.parametrize(("number", "feature", "how", "test"), rows())
def test_the_row_names_tests_that_exist(number, feature, how, test):
    named = _TEST.findall(test)
    assert named, f"feature {number}, {feature}: no test"
    for file, function in named:
        path = ROOT / (file if file.startswith("tests/") else f"tests/{file}")
        assert path.is_file(), f"feature {number}: {path.name} is not there"
        assert not function or function in functions(path), f"feature {number}: {file} has no {function}"


def test_keys_named_in_the_rows_are_bound():
    bound = {key for action in ACTIONS for key in action.keys}
    for number, _, how, _ in rows():
        for key in re.findall(r"key `([^`]+)`", how):
            assert key in bound, f"feature {number}: nothing is bound to {key}"
