"""One spectrum in front of one person: a state that every key press turns into the next.

Pure: it knows no screen, no clock and no database. What a key cannot do raises :class:`~.answer.Refused` with the
reason, and leaves the state as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from qnet_tui.inspection.answer import (
    CLASSES,
    QUALITY_WORDS,
    STAR_Z_LIMIT,
    Answer,
    Refused,
    SpecType,
    ZSource,
    checked_z,
    clean_comment,
    parse_z,
    stepped_z,
    z_text,
)
from qnet_tui.inspection.comments import with_standard_comment

# A quality of 3 or 4 on a spectrum that is masked more than this is asked about once, and tagged.
MASKED_LIMIT = 0.25
MASKED_TAG = "masked"


@dataclass(frozen=True)
class PipelineAnswer:
    """One fit of the pipeline: class and redshift."""

    spectype: str
    z: float


@dataclass(frozen=True)
class Facts:
    """What the state needs to know of the item; the pipeline's answer is None and "" to a blind inspector.

    ``fits`` are the pipeline's, best first; empty where only its best is known, and to a blind inspector.
    """

    frac_masked: float = 0.0
    pipeline_class: str = ""
    pipeline_z: float | None = None
    fits: tuple[PipelineAnswer, ...] = ()


@dataclass(frozen=True)
class ItemState:
    """The answer so far, the cursor (observed Å), the line named there, and whether the mask was pointed out.

    ``set_aside`` keeps the trial redshift while the class is STAR, so that pressing s by mistake loses nothing.
    ``fit`` is which of the pipeline's fits is shown, 0 for its best.
    """

    facts: Facts = field(default_factory=Facts)
    answer: Answer = field(default_factory=Answer)
    cursor: float | None = None
    named: str | None = None
    set_aside: tuple[float | None, ZSource | None, float | None] | None = None
    warned: bool = False
    fit: int = 0

    @classmethod
    def start(cls, facts: Facts, cursor: float | None = None) -> ItemState:
        """Return the state of an item that nobody has touched; z starts at the pipeline's, where that is known."""
        z = facts.pipeline_z
        return cls(facts, Answer(z=z, z_source="pipeline" if z is not None else None), cursor)

    def with_class(self, spectype: SpecType) -> ItemState:
        """Set the class. A star gets z 0 unless its z is a star's already; another class gets the trial z back."""
        answer, aside = replace(self.answer, spectype=spectype), self.set_aside
        if spectype == "STAR":
            if answer.z is None or abs(answer.z) >= STAR_Z_LIMIT:
                aside = (answer.z, answer.z_source, answer.z_error)
                answer = answer.with_z(0.0, "typed")
        elif aside is not None:
            if answer.z == 0.0:
                answer = answer.with_z(*aside)
            aside = None
        return self._changed(answer, set_aside=aside)

    def with_quality(self, quality: int) -> ItemState:
        """Set the quality, 0 to 4."""
        if quality not in range(len(QUALITY_WORDS)):
            raise Refused(f"quality is 0 to 4, not {quality}")
        return self._changed(replace(self.answer, quality=quality))

    def with_issue_toggled(self, letter: str) -> ItemState:
        """Set or clear issue R, C or S."""
        return self._changed(self.answer.with_issue_toggled(letter))

    def with_comment(self, text: str) -> ItemState:
        """Replace the comment."""
        return self._changed(replace(self.answer, comment=clean_comment(text)))

    def with_standard_comment(self, letter: str) -> ItemState:
        """Append the standard comment of ``letter`` to whatever stands there."""
        return self.with_comment(with_standard_comment(self.answer.comment, letter))

    def with_z_stepped(self, step: float) -> ItemState:
        """Move z by ``step``; a redshift from a named line stays one, any other becomes the person's own."""
        z = stepped_z(self.answer.z, step)
        if z == self.answer.z:
            raise Refused(f"z stops at {z_text(z)}")
        source: ZSource = "line" if self.answer.z_source == "line" else "typed"
        return self._changed(self.answer.with_z(z, source))

    def with_z_typed(self, text: str) -> ItemState:
        """Take a typed redshift; nothing typed clears it."""
        if not text.strip():
            return self._changed(self.answer.with_z(None, None), named=None)
        return self._changed(self.answer.with_z(parse_z(text), "typed"), named=None)

    def with_z_fitted(self, z: float, error: float | None) -> ItemState:
        """Take the redshift of a local fit with its error; the named line, if any, keeps its name."""
        return self._changed(self.answer.with_z(checked_z(z), "fit", error))

    def with_line(self, name: str, z: float) -> ItemState:
        """Call the feature at the cursor ``name``, which implies ``z``."""
        return self._changed(self.answer.with_z(checked_z(z), "line"), named=name)

    def with_cursor(self, wavelength: float) -> ItemState:
        """Move the cursor (observed Å); the answer does not change."""
        return replace(self, cursor=wavelength, named=None)

    def with_pipeline(self) -> ItemState:
        """Take the pipeline's class and redshift: those of the fit that is shown."""
        shown = self.shown_fit
        if shown is None or shown.spectype not in CLASSES:
            raise Refused("there is no pipeline answer to take")
        spectype = next(known for known in CLASSES if known == shown.spectype)
        answer = replace(self.answer, spectype=spectype).with_z(checked_z(shown.z), "pipeline")
        return self._changed(answer, named=None, set_aside=None)

    def with_pipeline_z(self) -> ItemState:
        """Put z back to the pipeline's best."""
        if self.facts.pipeline_z is None:
            raise Refused("there is no pipeline redshift to go back to")
        answer = self.answer.with_z(self.facts.pipeline_z, "pipeline")
        return self._changed(answer, named=None, fit=0)

    def with_fit_stepped(self, step: int) -> ItemState:
        """Show the pipeline's next (1) or previous (-1) fit: z becomes that fit's, the class stays open."""
        fits = self.facts.fits
        if not fits:
            raise Refused("of the pipeline only its best answer is at hand" if self.shown_fit else "there is no fit")
        number = self.fit + step
        if not 0 <= number < len(fits):
            raise Refused("that was the pipeline's last fit" if step > 0 else "that is the pipeline's best fit")
        return self.with_fit(number)

    def with_fit(self, number: int) -> ItemState:
        """Show the pipeline's fit ``number``, 0 the best."""
        if not 0 <= number < len(self.facts.fits):
            raise Refused(f"the pipeline has {len(self.facts.fits)} fits")
        z = checked_z(self.facts.fits[number].z)
        return self._changed(self.answer.with_z(z, "pipeline"), named=None, fit=number)

    @property
    def shown_fit(self) -> PipelineAnswer | None:
        """The fit that ``a`` takes: the one that is shown, else the pipeline's best answer; None to the blind."""
        if self.fit < len(self.facts.fits):
            return self.facts.fits[self.fit]
        z = self.facts.pipeline_z
        return None if z is None else PipelineAnswer(self.facts.pipeline_class, z)

    def with_commit_asked(self) -> ItemState:
        """Check that the answer can be committed, and return the state to commit.

        Raises:
            Refused: something is missing or impossible.
            MaskedWarning: the spectrum is much masked and the quality is high; asked once, then accepted.
        """
        why = self.answer.refusal()
        if why:
            raise Refused(why)
        if self.is_masked_and_sure() and not self.warned:
            raise MaskedWarning(self)
        return self

    def is_masked_and_sure(self) -> bool:
        """Whether quality 3 or 4 was given to a spectrum with more than a quarter of its pixels masked."""
        return (self.answer.quality or 0) >= 3 and self.facts.frac_masked > MASKED_LIMIT

    @property
    def tags(self) -> tuple[str, ...]:
        """What the vote is marked with, so that training can leave it out."""
        return (MASKED_TAG,) if self.is_masked_and_sure() else ()

    def to_json(self) -> dict[str, Any]:
        """Return what a draft keeps."""
        return {"answer": self.answer.to_json(), "cursor": self.cursor, "named": self.named, "fit": self.fit}

    def restored(self, body: Mapping[str, Any]) -> ItemState:
        """Return this fresh state with a draft laid over it."""
        answer, cursor, named, fit = (body.get(name) for name in ("answer", "cursor", "named", "fit"))
        return replace(
            self,
            answer=Answer.from_json(answer) if isinstance(answer, Mapping) else self.answer,
            cursor=float(cursor) if isinstance(cursor, int | float) else self.cursor,
            named=named if isinstance(named, str) else None,
            fit=fit if isinstance(fit, int) and 0 <= fit < len(self.facts.fits) else 0,
        )

    def _changed(self, answer: Answer, **others: Any) -> ItemState:
        # Whatever is changed, the mask is pointed out again before the next commit.
        return replace(self, answer=answer, warned=False, **others)


class MaskedWarning(Refused):
    """Asks once more before a sure answer about a much masked spectrum; ``state`` is the one that may commit."""

    def __init__(self, state: ItemState) -> None:
        """Say how much is masked; the state carries that it was said."""
        super().__init__(
            f"{100 * state.facts.frac_masked:.0f} % of the pixels are masked: "
            "{commit} again commits, {issue_spectrum} marks it bad"
        )
        self.state = replace(state, warned=True)
