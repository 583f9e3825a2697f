"""How the working screens take keys: one after the other, into a line, as a letter, to an offer, or as an action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import ClassVar, Generic

from textual import events

from qnet_tui.inspection.answer import COMMENT_LENGTH, Refused
from qnet_tui.inspection.keys import Action
from qnet_tui.plotting.canvas import Charset
from qnet_tui.spectral_lines.local_fit import LocalFit
from qnet_tui.tui.bindings import keys_of, pressed
from qnet_tui.tui.label_actions import STEPS, Scene
from qnet_tui.tui.line_edit import LineEdit
from qnet_tui.tui.screens.picture_panes import M, PicturePanes

# The fields that an action opens, and the actions after which the next key is a letter.
_FIELD_OF = {"type_z": "z", "type_quality": "quality", "comment": "comment"}
_LETTERED = ("name_line", "standard_comment")


class KeyByKey(PicturePanes[M], Generic[M]):
    """A screen that takes its keys itself, and not by Textual's bindings.

    They are taken one after the other in the order they were typed: a binding runs a moment later than the screen
    sees the next key, which would then be taken for something else.
    """

    # Actions that are pure steps from one moment to the next; groups of actions that leave an offered fit open.
    steps: ClassVar[Collection[str]] = STEPS
    looking: ClassVar[Collection[str]] = ("view", "program")
    # What each field asks and how much can be typed: an id, or how it ends, has room to look back at a mistake.
    fields: ClassVar[dict[str, tuple[str, int]]] = {
        "command": (":", 20),
        "find": ("find", 32),
        "z": ("z", 12),
        "quality": ("quality", 6),
        "comment": ("comment", COMMENT_LENGTH),
    }
    # What is said of a command that there is not, and of a key while something is being done.
    no_command: ClassVar[str]
    wait_words: ClassVar[str] = "still {doing}, or {{quit}} quits"

    def __init__(self, charset: Charset, actions: tuple[Action, ...], moment: M) -> None:
        """Begin at ``moment``, with nothing typed."""
        super().__init__(charset, actions, moment)
        # What was typed in a field that was left with Esc, by kind of field.
        self._typed: dict[str, str] = {}
        self._doing = ""

    # ------------------------------------------------------------------ what each screen does itself

    @property
    def live(self) -> tuple[Action, ...]:
        """The actions whose keys do something, be it to say why not."""
        return self.actions

    @property
    def is_busy(self) -> bool:
        """Whether something is being done that the next key must not overtake."""
        raise NotImplementedError

    async def _do(self, what: Callable[[], Awaitable[None]], doing: str = "waiting for the database") -> None:
        """Do something that takes time."""
        raise NotImplementedError

    async def _act_here(self, name: str) -> None:
        """Do an action that is not the same on every screen."""
        raise NotImplementedError

    async def _find(self, text: str) -> None:
        """Go to the object of that id."""
        raise NotImplementedError

    async def _fit(self) -> None:
        """Fit the redshift and offer what comes of it."""
        raise NotImplementedError

    async def _own_command(self, text: str) -> bool:
        """Do a command line that is not the same on every screen; False when there is none such."""
        raise NotImplementedError

    def _stepped(self, name: str, scene: Scene) -> M:
        """Return the moment after one of :attr:`steps`."""
        raise NotImplementedError

    def _with_letter(self, asked: str, letter: str) -> M:
        """Return the moment after the letter that followed the action ``asked``."""
        raise NotImplementedError

    def _with_fit(self, offer: LocalFit) -> M:
        """Return the moment with the redshift of a fit."""
        raise NotImplementedError

    def _with_field(self, kind: str, text: str) -> M:
        """Return the moment with what was typed in a field."""
        raise NotImplementedError

    def _begun(self, kind: str) -> str:
        """Return what stands in a field when it is opened."""
        raise NotImplementedError

    def _touch(self) -> None:
        """Take note that somebody is there."""

    # ------------------------------------------------------------------ keys

    async def on_key(self, event: events.Key) -> None:
        """Take one key: into the line that is typed, as a letter that is waited for, to an offer, or as an action."""
        key = pressed(event.key, event.character)
        action = keys_of(self.live).get(key)
        if action is not None or self.line is not None or self.asked or self.offer is not None:
            event.stop()
            event.prevent_default()
        if self.line is not None and action != "quit":
            await self._type(self.line, event)
        elif self.asked and action != "quit":
            asked, self.asked, self.message = self.asked, "", None
            if event.key != "escape":
                self._change(lambda: self._with_letter(asked, key))
            self.draw()
        elif action is not None:
            await self.act(action)
        elif event.key == "escape":
            self._escape()

    async def act(self, name: str) -> None:
        """Do one action of the table of keys."""
        self.message = None
        self._touch()
        offer = self.offer
        if {action.name: action.group for action in self.live}[name] not in self.looking:
            # Whoever goes on without a word has left the offer; one may look at it from all sides.
            self.offer = None
        if name == "commit" and offer is not None:
            self.offer = None
            self._change(lambda: self._with_fit(offer))
            self.draw()
        elif await self._act_of_program(name):
            return
        elif self.is_busy:
            self.say(self.wait_words.format(doing=self._doing))
        elif name in ("command", "find"):
            self._ask(name)
        else:
            await self._act_here(name)

    async def _look(self, name: str) -> None:
        """Do an action on the spectrum that is the same wherever it exists."""
        if name in self.steps:
            self._change(lambda: self._stepped(name, self._scene(name)))
            self.draw()
        elif name == "fit":
            await self._do(self._fit, "fitting")
        elif name in _LETTERED:
            self.asked = name
            self.draw()
        elif name in _FIELD_OF:
            self._ask(_FIELD_OF[name], self._begun(_FIELD_OF[name]))

    def _escape(self) -> None:
        """Leave the fit that is offered."""
        if self.offer is not None:
            self.offer = self.message = None
            self._touch()
            self.draw()

    def _change(self, make: Callable[[], M]) -> bool:
        """Go to the moment that ``make`` returns, or say why not; return whether it did."""
        try:
            self.moment = make()
        except Refused as refusal:
            self.refuse(refusal)
            return False
        return True

    def _scene(self, name: str) -> Scene:
        """Return what action ``name`` may look at; templates are made when they are first asked for."""
        item = self._item_shown()
        if self.picture is None or item is None:
            return Scene((0.0, 1.0))
        if name in ("model", "template_next") and not self.picture.template_names():
            self.picture = self._picture_of(item, with_templates=True)
        features = [feature.wavelength for feature in item.features]
        column = self.picture.column_width(self.moment.seen, self.size.width)
        return Scene(self.picture.full, features, column, self.picture.template_names())

    # ------------------------------------------------------------------ the line at the bottom

    def _ask(self, kind: str, text: str = "") -> None:
        question, length = self.fields[kind]
        self.line = LineEdit.begin(kind, question, self._typed.pop(kind, text), length)
        self.draw()

    async def _type(self, line: LineEdit, event: events.Key) -> None:
        self._touch()
        if event.key == "enter":
            await self._answer(line)
        elif event.key == "escape":
            # Esc leaves the field and loses nothing: what was typed is there when the field is opened again.
            self._typed[line.kind] = line.text
            self.line = self.message = None
        elif event.is_printable and event.character is not None:
            self.line = line.typed(event.character)
        else:
            self.line = line.edited(event.key)
        self.draw()

    async def _answer(self, line: LineEdit) -> None:
        """Take what was typed; a field whose text cannot be stays open."""
        self.message = None
        text = line.text.strip()
        if line.kind not in ("command", "find"):
            if self._change(lambda: self._with_field(line.kind, line.text)):
                self.line = None
            return
        self.line = None
        if line.kind == "command":
            await self._command(text)
        elif text:
            await self._do(lambda: self._find(text))

    async def _command(self, text: str) -> None:
        if text in ("q", "quit", "q!", "wq", "x"):
            await self.leave()
        elif text in ("h", "help"):
            await self.act("help")
        elif text and not await self._own_command(text):
            self.say(f":{text} {self.no_command}")
