"""The keys of the review screen: which figures are looked at, and the table beside the chart.

``j k g G``, ``/``, ``y`` and Enter are those of every table; what several screens have (help, palette, quit) is on the
same keys everywhere.
"""

from __future__ import annotations

from qnet_tui.inspection.keys import Action

TAB_NAMES = (
    "completeness", "thresholds", "datasets", "entropy", "map", "repeats", "weights", "outliers", "rounds",
)  # fmt: skip
"""The tabs in their order; a number from 1 goes to each."""

_TABS: tuple[Action, ...] = tuple(
    Action(f"tab_{number}", (str(number),), name, "shown") for number, name in enumerate(TAB_NAMES, start=1)
)

REVIEW_ACTIONS: tuple[Action, ...] = (
    Action("tab_next", ("tab", "right"), "next tab", "shown"),
    Action("tab_previous", ("shift+tab", "left"), "the tab before", "shown"),
    *_TABS,
    Action("round_previous", (",",), "the round before", "shown"),
    Action("round_next", (".",), "next round", "shown"),
    Action("dataset_next", ("d",), "next dataset, then all", "shown"),
    Action("dataset_previous", ("D",), "the dataset before", "shown"),
    Action("threshold_next", ("c",), "next confidence threshold", "shown"),
    Action("threshold_previous", ("C",), "the threshold before", "shown"),
    Action("redshift_condition", ("z",), "a right redshift, or any", "shown"),
    Action("by_next", ("b",), "against epoch, z, magnitude", "shown"),
    Action("read_again", ("r",), "compute it again", "shown"),
    Action("row_next", ("j", "down"), "next row", "table"),
    Action("row_previous", ("k", "up"), "the row before", "table"),
    Action("page_next", ("pagedown", "space"), "a page down", "table"),
    Action("page_previous", ("pageup",), "a page up", "table"),
    Action("row_first", ("g", "home"), "first row", "table"),
    Action("row_last", ("G", "end"), "last row", "table"),
    Action("open_row", ("enter",), "all columns of this row", "table"),
    Action("sort_next", ("o",), "sort by the next column", "table"),
    Action("sort_reverse", ("O",), "sort the other way round", "table"),
    Action("filter", ("/",), "only rows with these words", "table"),
    Action("copy_id", ("y",), "copy what names the row", "table"),
    Action("fill", ("v",), "chart alone, table alone, both", "view"),
    Action("open_words", ("n",), "the notes in full", "view"),
    Action("back", ("backspace",), "back to the home screen", "program"),
    Action("help", ("?",), "this list", "program"),
    Action("palette", ("ctrl+p",), "find an action by its words", "program"),
    Action("command", (":",), ":map goes to a tab, :q quits", "program"),
    Action("quit", ("f10", "ctrl+q"), "quit", "program"),
)
REVIEW_BY_NAME: dict[str, Action] = {action.name: action for action in REVIEW_ACTIONS}
