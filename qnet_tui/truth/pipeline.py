"""Labels no person gave: a pipeline's class and redshift (redrock, SPECOBJ), rated by its warning."""

import math

from qnet_tui.errors import BadInput
from qnet_tui.truth import cells

PIPELINE_GOOD, PIPELINE_DOUBTFUL = 3.0, 1.0


def pipeline_quality(zwarn: int | None) -> float:
    """3 where ``zwarn`` is 0, else 1; also 1 where there is no flag."""
    return PIPELINE_GOOD if zwarn == 0 else PIPELINE_DOUBTFUL


def pipeline_label(pipeline_class: str, z: float, zwarn: int) -> tuple[str, float, float]:
    """(spectype, z, quality) of a pipeline's answer: quality 3 when ZWARN (SDSS: ZWARNING) is 0, else 1.

    Raises BadInput when the class is none of STAR, GALAXY, QSO or the redshift is missing or outside
    -0.01 to 7.
    """
    try:
        kind, redshift = cells.spectype(pipeline_class), cells.redshift(float(z))
    except cells.UnusableError as refusal:
        raise BadInput(f"pipeline answer: {refusal}", mend="leave this row out") from refusal
    if redshift is None or math.isnan(redshift):
        raise BadInput("pipeline answer: no redshift", mend="leave this row out")
    return kind, redshift, pipeline_quality(int(zwarn))
