"""Times as the database keeps them: UTC, ISO 8601, always the same width, so text order is time order."""

from datetime import UTC, datetime, timedelta

from storage.errors import Refused


def utc_now() -> str:
    """Return the present moment as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``."""
    return _written(datetime.now(UTC))


def canonical_time(text: str) -> str:
    """Rewrite any ISO 8601 time as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``; a time without a zone is taken as UTC.

    Raises:
        Refused: the text is no ISO 8601 time.

    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is not an ISO 8601 time") from None
    return _written(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))


def just_after(text: str) -> str:
    """Return the time one microsecond after one in canonical form."""
    return _written(datetime.fromisoformat(text) + timedelta(microseconds=1))


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
