"""What is in effect when files are scored: what the user asked for, filled up from the pipeline that is imitated."""

from dataclasses import asdict, dataclass
from typing import Any

from qnet_tui.errors import BadInput
from qnet_tui.handover.pipelines import Pipeline, Rule, pipeline_named, rule_named

C_THRESHOLD, N_LINES = 0.95, 1
"""When no pipeline is named: the thresholds of the paper and of DR1's catalogues."""


@dataclass(frozen=True)
class ScoreSettings:
    """All that decides what comes out, beside the weights file and the spectra.

    ``pipeline`` is "" for a table of scores that imitates none; ``rule`` and ``constant_width`` (None: as wide as two
    boxes) concern the afterburner only.
    """

    c_threshold: float = C_THRESHOLD
    n_lines: int = N_LINES
    offsets: str = "as-trained"
    extrapolate: bool = False
    afterburner: bool = False
    pipeline: str = ""
    rule: Rule = "desispec"
    constant_width: float | None = None

    @property
    def imitated(self) -> Pipeline:
        """The pipeline with what the user overrode."""
        return Pipeline(self.pipeline, self.c_threshold, self.n_lines, self.rule, self.constant_width)

    def facts(self) -> dict[str, Any]:
        """The settings as plain values: for a document, a worker or a stamp."""
        return asdict(self)

    def words(self, factor: float) -> str:
        """The settings for people; ``factor`` is the a of the width a·(1 + z) on the grid in use."""
        lines = f"c > {self.c_threshold:g} in {self.n_lines} line{'s' if self.n_lines > 1 else ''}"
        said = [f"quasar at {lines}", f"offsets {self.offsets}"]
        if self.extrapolate:
            said.append("decoded past the ends of the grid")
        if self.pipeline:
            said.insert(0, f"pipeline {self.pipeline}")
        if self.afterburner:
            width = f"{factor:.5f} (1+z)" if self.constant_width is None else f"{self.constant_width:g}"
            said.append(f"rule {self.rule}, prior width {width}")
        return ", ".join(said)


def score_settings(
    *,
    afterburner: bool = False,
    pipeline: str | None = None,
    rule: str | None = None,
    c_threshold: float | None = None,
    n_lines: int | None = None,
    offsets: str = "as-trained",
    extrapolate: bool = False,
) -> ScoreSettings:
    """The settings in effect: a pipeline sets threshold, width, rule and columns together, what is given overrides.

    ``afterburner`` without ``pipeline`` imitates "current". BadInput for unknown names, and for a rule without the
    afterburner.
    """
    if rule is not None and not afterburner:
        raise BadInput("a rule says whom redrock is asked again about", mend="give --rule with --afterburner")
    named = pipeline_named(pipeline or "current") if pipeline is not None or afterburner else None
    return ScoreSettings(
        c_threshold=c_threshold if c_threshold is not None else named.c_threshold if named else C_THRESHOLD,
        n_lines=n_lines if n_lines is not None else named.n_lines if named else N_LINES,
        offsets=offsets,
        extrapolate=extrapolate,
        afterburner=afterburner,
        pipeline=named.name if named else "",
        rule=rule_named(rule) if rule is not None else named.rule if named else "desispec",
        constant_width=named.constant_width if named else None,
    )
