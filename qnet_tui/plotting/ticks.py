"""Axis ticks at round numbers, with labels no longer than they need to be."""

from __future__ import annotations

import math

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def round_step(span: float, most: int) -> float:
    """Return the smallest of 1, 2, 2.5, 5 x 10^k that cuts ``span`` into at most ``most`` pieces."""
    rough = span / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in _STEPS if step * power >= rough * (1 - 1e-9))


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers in [low, high], increasing, at most ``most`` + 1; empty for an empty range."""
    if not (math.isfinite(low) and math.isfinite(high) and high > low) or most < 1:
        return []
    step = round_step(high - low, most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step + 0.0 for index in range(first, last + 1)]


def tick_label(value: float, step: float, width: int = 5) -> str:
    """Write ``value`` with the decimals that ``step`` needs; in powers of ten when it is wider than ``width``."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    if step > 0 and abs(round(step, decimals) - step) > 1e-6 * step:
        decimals += 1  # steps of 2.5 x 10^k need one digit more
    text = f"{value:.{decimals}f}"
    if len(text) > width:
        mantissa, _, exponent = f"{value:.1e}".partition("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return text if text.strip("-0.") else "0"
