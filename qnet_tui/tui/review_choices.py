"""What a person has chosen to see on the review screen, and what the next one of each choice is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from qnet_tui.tui.review_words import DV_MAX
from qnet_tui.workflows.review.tab import Asked, Tab

T = TypeVar("T")


@dataclass(frozen=True)
class Choices:
    """Round, threshold and redshift condition hold for all tabs; dataset and ``by`` are each tab's own."""

    common: Asked = field(default_factory=Asked)
    datasets: Mapping[str, str] = field(default_factory=dict)
    bys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, asked: Asked) -> Choices:
        """Begin with what was asked for on the command line, at the tab ``name``."""
        own = {name: asked.dataset} if asked.dataset else {}
        return cls(replace(asked, dataset="", by=""), own, {name: asked.by} if asked.by else {})

    def asked(self, name: str) -> Asked:
        """Return what the tab ``name`` is asked."""
        return replace(self.common, dataset=self.datasets.get(name, ""), by=self.bys.get(name, ""))

    def with_round(self, tab: Tab | None, step: int) -> Choices:
        """Choose the next round, or the one before; a tab that has none to choose from chooses itself."""
        rounds, chosen = sorted(tab.rounds) if tab is not None else [], None
        if rounds and tab is not None:
            at = rounds.index(tab.asked.round) + step if tab.asked.round in rounds else len(rounds) - 1
            chosen = rounds[min(max(at, 0), len(rounds) - 1)]
        return replace(self, common=replace(self.common, round=chosen))

    def with_dataset(self, name: str, tab: Tab | None, step: int, *, has_all: bool) -> Choices:
        """Choose the next dataset of the tab, and after the last one all of them, where it ``has_all``."""
        among = (*([""] if has_all else []), *(tab.datasets if tab is not None else ()))
        chosen = _stepped(among, tab.asked.dataset if tab is not None else "", step) or ""
        return replace(self, datasets={**self.datasets, name: chosen})

    def with_threshold(self, tab: Tab | None, step: int) -> Choices:
        """Choose the next threshold of the tab; from one that is not among them, its neighbour."""
        among = sorted({*tab.thresholds, self.common.c_threshold}) if tab is not None and tab.thresholds else ()
        chosen = _stepped(among, self.common.c_threshold, step)
        return self if chosen is None else replace(self, common=replace(self.common, c_threshold=chosen))

    def with_redshift_condition_turned(self) -> Choices:
        """Ask for a right redshift, or no longer."""
        return replace(self, common=replace(self.common, dv_max=DV_MAX if self.common.dv_max is None else None))

    def with_by(self, name: str, tab: Tab | None) -> Choices:
        """Choose the next thing to show completeness against."""
        among = tab.bys if tab is not None else ()
        chosen = _stepped(among, (tab.asked.by or among[0]) if tab is not None and among else None, 1)
        return replace(self, bys={**self.bys, name: chosen or ""})


def _stepped(among: Sequence[T], now: T | None, step: int) -> T | None:
    """Return the neighbour of ``now``, going round; the first when ``now`` is none of them, None without any."""
    if not among:
        return None
    return among[(among.index(now) + step) % len(among)] if now in among else among[0]
