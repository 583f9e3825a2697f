"""The curves of a run at work: losses, and completeness with purity, as they are measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qnet_tui.plotting.charts import Curve, LineChart, Stroke
from qnet_tui.workflows.run_watch import Measured, RunSnapshot

MANY = 4
"""From more datasets on than this, curves have no names: they would cover each other."""

_SHORT = {"training": "train", "validation": "held out", "completeness": "compl."}
_LOSSES: dict[str, Stroke] = {"loss": "solid", "val_loss": "solid"}
_SHARES: dict[str, Stroke] = {"completeness": "solid", "purity": "dashed"}


def loss_chart(now: RunSnapshot) -> LineChart | None:
    """The loss after each epoch, by dataset; of a committee the last loss of each network. None before the first."""
    curves = _curves(now.measured, _LOSSES, with_figure=False)
    if curves:
        return LineChart(curves, "epoch", "loss")
    if not now.losses:
        return None
    # Networks are numbered; a name that is none (of a study: "3 entropy 12") has its place in the order they ended.
    numbers = [one.network for one in now.losses]
    plain = all(name.isdecimal() for name in numbers)
    x = np.array([float(name) for name in numbers] if plain else np.arange(1, len(numbers) + 1), dtype=np.float64)
    y = np.array([one.loss for one in now.losses], dtype=np.float64)
    end = float(now.networks - 1) if plain and now.networks else float(x.max())
    return LineChart((Curve("", x, y, "dots"),), "network", "last loss", x_range=(0.0, max(end, 1.0)))


def share_chart(now: RunSnapshot) -> LineChart | None:
    """Completeness solid and purity dashed after each epoch, by dataset; None where nothing was held out."""
    curves = _curves(now.measured, _SHARES, with_figure=True)
    return LineChart(curves, "epoch", "compl. - purity --") if curves else None


def _curves(measured: Sequence[Measured], strokes: dict[str, Stroke], *, with_figure: bool) -> tuple[Curve, ...]:
    wanted = [one for one in measured if one.name in strokes]
    datasets = list(dict.fromkeys(one.dataset for one in wanted))
    many = len(datasets) > MANY
    found = []
    for one in wanted:
        name = "" if many else one.name if with_figure and len(datasets) == 1 else one.dataset
        name = _SHORT.get(name, name)
        found.append(
            Curve(
                name=name,
                x=np.array(one.epochs, dtype=np.float64),
                y=np.array(one.values, dtype=np.float64),
                stroke=strokes[one.name],
                group=datasets.index(one.dataset) if not with_figure or len(datasets) > 1 else -1,
                faint=many,
            )
        )
    return tuple(found)
