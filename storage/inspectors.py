"""Who inspects: a short code for each person, tied to an account of the machine once."""

import re
import uuid
from dataclasses import dataclass

from storage.connection import fetch, transaction
from storage.errors import Refused
from storage.journal import append_entries
from storage.ledger import Entry, enter
from storage.settings import get_setting
from storage.times import utc_now
from storage.workspace import Workspace

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{1,9}")


@dataclass(frozen=True)
class Inspector:
    """One person; ``os_user`` is the account that may vote under the code."""

    code: str
    os_user: str
    name: str
    added_at: str


def add_inspector(ws: Workspace, code: str, os_user: str, name: str = "") -> Inspector:
    """Register a person; harmless when the same code and account are registered.

    Args:
        ws: the workspace.
        code: 2 to 10 letters or digits, a letter first; no underscore, because file names of inspections end
            in
            ``_CODE``. Upper and lower case do not make two codes.
        os_user: the account.
        name: the person's name.

    Raises:
        Refused: the code is badly formed or another account's, or the account has a code already and the
            campaign has no shared accounts.

    """
    if not _CODE.fullmatch(code):
        raise Refused(f"{code!r} is no inspector code", mend="use 2 to 10 letters or digits, a letter first")
    with transaction(ws.db) as connection:
        known = [Inspector(*row) for row in connection.execute(_SELECT).fetchall()]
        same = [one for one in known if one.code.lower() == code.lower()]
        if same:
            if same[0].os_user != os_user:
                raise Refused(f"the code {same[0].code} belongs to account {same[0].os_user}", mend="use another")
            return same[0]
        mine = [one.code for one in known if one.os_user == os_user]
        if mine and not get_setting(ws, "shared_account"):
            raise Refused(
                f"account {os_user} has the code {mine[0]}",
                mend=f"vote as {mine[0]}, or allow several with 'qnet campaign set shared_account true'",
            )
        person = Inspector(code, os_user, name, utc_now())
        entry = Entry(
            uid=uuid.uuid4().hex,
            at=person.added_at,
            kind="inspector",
            by=code,
            body={"os_user": os_user, "name": name},
        )
        append_entries(ws.journal_dir, code, [entry.as_line()])
        enter(connection, entry)
    return person


def inspectors(ws: Workspace) -> list[Inspector]:
    """Return everybody registered, by code."""
    return [Inspector(*row) for row in fetch(ws.db, _SELECT)]


def inspector_for(ws: Workspace, os_user: str, code: str | None = None) -> Inspector:
    """Return who votes: the one with ``code`` if that is this account's, else the account's only code.

    Raises:
        Refused: nobody, somebody else's code, or several codes to choose from; the line says what to do.

    """
    known = inspectors(ws)
    mine = [one for one in known if one.os_user == os_user]
    if code is not None:
        named = [one for one in known if one.code.lower() == code.lower()]
        if not named:
            raise Refused(f"there is no inspector {code}", mend=f"add one with 'qnet vi inspectors add {code}'")
        if named[0].os_user != os_user:
            raise Refused(f"the code {named[0].code} belongs to account {named[0].os_user}", mend="use your own")
        return named[0]
    if not mine:
        raise Refused(f"account {os_user} has no inspector code", mend="add one with 'qnet vi inspectors add CODE'")
    if len(mine) > 1:
        raise Refused(
            f"account {os_user} has the codes {', '.join(one.code for one in mine)}",
            mend="choose with '--as CODE'",
        )
    return mine[0]


def registered_code(ws: Workspace, code: str) -> str:
    """Return a code as it is registered.

    Raises:
        Refused: it is not.

    """
    rows = fetch(ws.db, "SELECT code FROM inspector WHERE code = ?", (code,))
    if not rows:
        raise Refused(f"there is no inspector {code}", mend=f"add one with 'qnet vi inspectors add {code}'")
    return str(rows[0][0])


_SELECT = "SELECT code, os_user, name, added_at FROM inspector ORDER BY code"
