"""What one review tab is: a table, a chart beside it, and the sentence that a reader should take away.

Both faces show the same :class:`Tab`: the app as a screen, ``qnet review`` as text, CSV and JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qnet_tui.plotting.charts import Chart

C_THRESHOLD = 0.95


@dataclass(frozen=True)
class Asked:
    """What a person chose to see; the defaults leave each choice to the tab.

    ``round``: a round's number. ``dataset``: a name out of :attr:`Tab.datasets`, "" for the tab's own choice.
    ``c_threshold``: a line counts above it. ``dv_max`` in km/s: a quasar must also have a right redshift (None: the
    paper's definition, without one). ``by``: what completeness is shown against, one of :attr:`Tab.bys`. ``force``
    compares in spite of different validation objects.
    """

    round: int | None = None
    dataset: str = ""
    c_threshold: float = C_THRESHOLD
    dv_max: float | None = None
    by: str = ""
    force: bool = False


@dataclass(frozen=True)
class Column:
    """One column of a tab's table: ``key`` is the field of the row, ``head`` its heading, ``digits`` of a float.

    ``need``: 0 is always shown; where the table is narrow, columns of the largest need go first.
    """

    key: str
    head: str
    digits: int = 3
    need: int = 0


@dataclass(frozen=True)
class Tab:
    """One tab as it is now.

    ``rows`` are frozen dataclasses in the order of the table; ``document`` is what ``--json`` prints (None: the rows).
    ``says`` is the computed sentence, ``notes`` say what the figures are and what is wrong with them. ``rounds``,
    ``datasets``, ``thresholds`` and ``bys`` are what can be switched to (empty: nothing to switch), ``asked`` what is
    shown, with every choice made. ``empty`` says why there is nothing and which command makes it. ``spectra`` are files
    of copied spectra, one for each row (None where there is none): the chart of such a tab is the spectrum itself.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Any]
    asked: Asked
    chart: Chart | None = None
    says: str = ""
    notes: tuple[str, ...] = ()
    rounds: tuple[int, ...] = ()
    datasets: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()
    bys: tuple[str, ...] = ()
    empty: str = ""
    document: Any = None
    spectra: Sequence[Path | None] = field(default_factory=tuple)


def cell(row: Any, key: str) -> Any:
    """The value of a row's field; counts by class become words."""
    value = getattr(row, key)
    if isinstance(value, dict):
        return " ".join(f"{name} {n}" for name, n in value.items())
    if isinstance(value, bool):
        return "yes" if value else ""
    return value
