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

# A quality of 3 or 4 on a spectrum that is masked more than this is asked about once, and tagged.
MASKED_LIMIT = 0.25
MASKED_TAG = "masked"


@dataclass(frozen=True)
class Facts:
    """What the state needs to know of the item; the pipeline's answer is None and "" to a blind inspector."""

    frac_masked: float = 0.0
    pipeline_class: str = ""
    pipeline_z: float | None = None


@dataclass(frozen=True)
class ItemState:
    """The answer so far, the cursor (observed Å), the line named there, and whether the mask was pointed out.

    ``set_aside`` keeps the trial redshift while the class is STAR, so that pressing s by mistake loses nothing.
    """

    facts: Facts = field(default_factory=Facts)
    answer: Answer = field(default_factory=Answer)
    cursor: float | None = None
    named: str | None = None
    set_aside: tuple[float | None, ZSource | None] | None = None
    warned: bool = False

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
                aside = (answer.z, answer.z_source)
                answer = replace(answer, z=0.0, z_source="typed")
        elif aside is not None:
            if answer.z == 0.0:
                answer = replace(answer, z=aside[0], z_source=aside[1])
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

    def with_z_stepped(self, step: float) -> ItemState:
        """Move z by ``step``; a redshift from a named line stays one, any other becomes the person's own."""
        z = stepped_z(self.answer.z, step)
        if z == self.answer.z:
            raise Refused(f"z stops at {z_text(z)}")
        source: ZSource = "line" if self.answer.z_source == "line" else "typed"
        return self._changed(replace(self.answer, z=z, z_source=source))

    def with_z_typed(self, text: str) -> ItemState:
        """Take a typed redshift; nothing typed clears it."""
        if not text.strip():
            return self._changed(replace(self.answer, z=None, z_source=None), named=None)
        return self._changed(replace(self.answer, z=parse_z(text), z_source="typed"), named=None)

    def with_line(self, name: str, z: float) -> ItemState:
        """Call the feature at the cursor ``name``, which implies ``z``."""
        return self._changed(replace(self.answer, z=checked_z(z), z_source="line"), named=name)

    def with_cursor(self, wavelength: float) -> ItemState:
        """Move the cursor (observed Å); the answer does not change."""
        return replace(self, cursor=wavelength, named=None)

    def with_pipeline(self) -> ItemState:
        """Take the pipeline's class and redshift."""
        if self.facts.pipeline_z is None or self.facts.pipeline_class not in CLASSES:
            raise Refused("there is no pipeline answer to take")
        spectype = next(known for known in CLASSES if known == self.facts.pipeline_class)
        answer = replace(self.answer, spectype=spectype, z=self.facts.pipeline_z, z_source="pipeline")
        return self._changed(answer, named=None, set_aside=None)

    def with_pipeline_z(self) -> ItemState:
        """Put z back to the pipeline's."""
        if self.facts.pipeline_z is None:
            raise Refused("there is no pipeline redshift to go back to")
        return self._changed(replace(self.answer, z=self.facts.pipeline_z, z_source="pipeline"), named=None)

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
        return {"answer": self.answer.to_json(), "cursor": self.cursor, "named": self.named}

    def restored(self, body: Mapping[str, Any]) -> ItemState:
        """Return this fresh state with a draft laid over it."""
        answer, cursor, named = body.get("answer"), body.get("cursor"), body.get("named")
        return replace(
            self,
            answer=Answer.from_json(answer) if isinstance(answer, Mapping) else self.answer,
            cursor=float(cursor) if isinstance(cursor, int | float) else self.cursor,
            named=named if isinstance(named, str) else None,
        )

    def _changed(self, answer: Answer, **others: Any) -> ItemState:
        # Whatever is changed, the mask is pointed out again before the next commit.
        return replace(self, answer=answer, warned=False, **others)


class MaskedWarning(Refused):
    """Asks once more before a sure answer about a much masked spectrum; ``state`` is the one that may commit."""

    def __init__(self, state: ItemState) -> None:
        """Say how much is masked; the state carries that it was said."""
        super().__init__(
            f"{100 * state.facts.frac_masked:.0f} % of the pixels are masked: Enter again commits, S marks it bad"
        )
        self.state = replace(state, warned=True)
