"""One spectrum in words and in a plot of characters, for the line dialogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qnet_tui.inspection.answer import Refused, z_text
from qnet_tui.inspection.item import ItemState
from qnet_tui.plotting.canvas import Charset
from qnet_tui.plotting.model_raster import Model
from qnet_tui.plotting.smoothing import smooth
from qnet_tui.plotting.spectrum_data import shown_range
from qnet_tui.plotting.spectrum_text import data_text
from qnet_tui.spectral_lines.identification import candidates
from qnet_tui.spectral_lines.line_list import sky_lines
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.workflows.label_item import Item, pipeline_words
from qnet_tui.workflows.line_marks import line_marks

_ROWS, _COLUMNS = 16, 79


@dataclass(frozen=True)
class Look:
    """How the plot is drawn: ``x_range`` in observed Å (None: all), ``template`` "" for that of the class."""

    charset: Charset
    smoothing: float = 3.0
    x_range: tuple[float, float] | None = None
    model: bool = False
    template: str = ""
    arms: bool = False


def facts_lines(item: Item, state: ItemState) -> list[str]:
    """Return what there is to know before looking: data, pipeline, peaks, and what was said of it before."""
    facts = [item.arms_words, f"{100 * item.frac_masked:.0f} % masked", f"S/N {item.snr:.1f}"]
    facts += [f"r {item.magnitude:.1f}"] if item.magnitude is not None else []
    facts += ["starred"] if item.starred else []
    facts += [f"why: {item.why}"] if item.why else []
    words = pipeline_words(item)
    facts += [words.replace(item.pipeline_name, f"{item.pipeline_name}:", 1)] if words else []
    lines = [", ".join(facts)]
    for feature in item.features:
        could = ", ".join(f"{line.plain} z {z:.4f}" for line, z in candidates(feature.wavelength)[:4])
        lines.append(f"  peak at {feature.wavelength:.0f} A, {feature.significance:.0f} sigma: {could}")
    if item.note:
        lines.append(item.note)
    if item.draft is not None:
        answer = state.answer
        lines.append(f"draft: {answer.spectype or '-'} z {z_text(answer.z)} quality {answer.quality}")
    return lines


def plot_lines(item: Item, state: ItemState, look: Look) -> list[str]:
    """Return the plot.

    Raises:
        Refused: the range is none, or a model was asked for and there is no redshift for it.
    """
    low, high = look.x_range or shown_range(item.data)
    if not low < high:
        raise Refused("the plot runs from a smaller to a greater wavelength")
    return data_text(
        item.data,
        width=_COLUMNS,
        height=_ROWS,
        sigma=look.smoothing,
        markers=line_marks(state.answer.z, low, high, plain=look.charset == "ascii"),
        sky=[line.rest for line in sky_lines()],
        charset=look.charset,
        x_range=(low, high),
        model=_model(item, state, look) if look.model else None,
        arms=look.arms,
    )


def line_lines(item: Item, state: ItemState) -> list[str]:
    """Return the lines of the list that lie in the data at the trial redshift.

    Raises:
        Refused: there is no redshift.
    """
    if state.answer.z is None:
        raise Refused("the lines need a redshift: z 2.31")
    marks = line_marks(state.answer.z, *shown_range(item.data), plain=True)
    return [f"  {mark.name} at {mark.wavelength:.0f} A, {mark.kind}" for mark in marks]


def fit_lines(item: Item, state: ItemState) -> list[str]:
    """Return the pipeline's fits, best first, the shown one marked.

    Raises:
        Refused: there are none, or this person is blind to them.
    """
    if not item.fits:
        raise Refused("there are no fits of the pipeline to show here")
    return [
        f"{'>' if number == state.fit else ' '} {number + 1}  {fit.spectype:<6} z {z_text(fit.z)}  "
        f"delta chi2 {fit.deltachi2:.0f}" + (f"  zwarn {fit.zwarn}" if fit.zwarn > 0 else "")
        for number, fit in enumerate(item.fits)
    ]


def offer_line(offer: LocalFit, z: float | None) -> str:
    """Return what a fit found and how it is taken."""
    return (
        f"fit: z {z_text(z)} -> {offer.z:.4f} +- {offer.z_error:.4f}, {offer.velocity:+.0f} km/s, {offer.template}: "
        "yes takes it"
    )


def template_names(item: Item) -> list[str]:
    """Return the names of the templates that ``model`` takes."""
    return [template.name for template in item.templates]


def _model(item: Item, state: ItemState, look: Look) -> Model:
    from qnet_tui.spectral_lines.templates import template_flux, template_for

    z = state.answer.z
    if z is None:
        raise Refused("a model needs a redshift: z 2.31")
    named = (template for template in item.templates if template.name == look.template)
    template = next(named, None) or template_for(state.answer.spectype, item.templates)
    flux = template_flux(template, z, item.wavelength, item.flux, item.ivar)
    weight = np.where(item.ivar > 0, item.ivar, np.min(item.ivar[item.ivar > 0], initial=1.0) * 1e-6)
    return Model(item.wavelength, smooth(item.wavelength, flux, weight, look.smoothing).flux)
