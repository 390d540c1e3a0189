"""The name of a migration that is not there yet: after all that are, in the project's convention."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from migrations.naming import Convention, order_key
from migrations.problem import Misuse
from migrations.sql.names import printable

LONGEST = 255
"""What a folder may be called, in bytes, and what the ledger has room for."""

_WORDS = re.compile(r"[a-z0-9_]*[a-z0-9][a-z0-9_]*", re.ASCII)
_NUMBER = re.compile(r"([a-zA-Z]?)(\d+)([_-]+)", re.ASCII)
_STAMP = re.compile(r"[a-zA-Z]?\d[\d-]*[_-]+", re.ASCII)
_TIME = re.compile(r"\d{8}[\d-]*[_-]", re.ASCII)
FORMS = {"%Y%m%d%H%M%S": timedelta(seconds=1), "%Y%m%d-%H%M%S": timedelta(seconds=1), "%Y%m%d": timedelta(days=1)}
"""How a time may stand at the start of a name, and the smallest step from one to the next."""


@dataclass(frozen=True, slots=True)
class Named:
    """The name of the folder; `notes` are what there is to know of it, in words."""

    name: str
    notes: tuple[str, ...] = ()


def fresh_name(words: str, wanted: Convention, there: Sequence[str], now: datetime) -> Named:
    """The whole name for `words`, after all that are `there`; `now` is UTC. Raises Misuse."""
    if wanted.stamp:
        checked(words)
        named = _stamped(words, wanted.stamp, wanted, there, now)
    else:
        named = _by_expression(words, wanted, there, now)
    if len(named.name.encode()) > LONGEST:
        raise Misuse(f"{named.name} is longer than {LONGEST} bytes.", advice="Take a shorter one.")
    if named.name in there:
        raise Misuse(f"There is a migration {named.name} already.", advice="Take another name.")
    later = [name for name in there if order_key(name) > order_key(named.name)]
    notes = (f"{printable(later[-1])} is applied after it, as it comes after it by its name",) if later else ()
    return Named(named.name, (*named.notes, *notes))


def checked(words: str) -> None:
    """Whether words can stand behind a stamp. Raises Misuse, with words that can."""
    stamped = _TIME.match(words)
    if _WORDS.fullmatch(words) and not stamped:
        return
    other = suggested(without_stamp(words) if stamped else words)
    why = (
        "has a time at its start, which gonogo makes itself" if stamped else "is no name: only a-z, 0-9 and _ may stand"
    )
    advice = f"Try: gonogo new {other}" if other else "Say in a few words what it does, as in add_note_to_orders."
    raise Misuse(f"{printable(words) or 'Nothing'} {why}.", advice=advice)


def suggested(words: str) -> str:
    """The nearest name: `AddNote to "Orders"` is `add_note_to_orders`. Empty where no letter of it is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_")


def without_stamp(name: str) -> str:
    """The name of a migration behind its time or number; all of it where there is none, or nothing behind it."""
    found = _STAMP.match(name)
    return name[found.end() :] if found and name[found.end() :] else name


def _stamped(words: str, form: str, wanted: Convention, there: Sequence[str], now: datetime) -> Named:
    """At this time, or one step after the last one that is there."""
    stamps = {moment: name for name in there if (moment := _moment(name, form, wanted)) is not None}
    step = FORMS[form]
    mine = datetime.strptime(now.astimezone(UTC).strftime(form), form)
    if not stamps or max(stamps) < mine:
        return Named(f"{mine.strftime(form)}_{words}")
    last, name = max(stamps.items())
    try:
        after = last + step
    except OverflowError:
        raise Misuse(f"No time comes after that of {name}.", advice="Rename that one, if no database has it.") from None
    where = "in the future" if last > mine else "that of the present"
    note = f"the time of {name} is {where} (UTC), so this one has the next after it"
    return Named(f"{after.strftime(form)}_{words}", (note,))


def _moment(name: str, form: str, wanted: Convention) -> datetime | None:
    return _read(name.partition("_")[0], form) if wanted.pattern.fullmatch(name) else None


def _read(stamp: str, form: str) -> datetime | None:
    """A time as `strftime` would write it: `strptime` alone reads `2026111` as well."""
    try:
        moment = datetime.strptime(stamp, form)
    except ValueError:
        return None
    return moment if moment.strftime(form) == stamp else None


def _by_expression(words: str, wanted: Convention, there: Sequence[str], now: datetime) -> Named:
    """A name that the expression matches: as it was given, or behind a time or number as the others have it."""
    if wanted.pattern.fullmatch(words):
        return Named(words)
    found = [named for named in _candidates(words, wanted, there, now) if wanted.pattern.fullmatch(named.name)]
    if len(found) == 1:
        return found[0]
    others = [name for name in there if wanted.pattern.fullmatch(name)]
    like = f"; the newest there is {printable(others[-1])}" if others else ""
    fault = "could be begun in several ways" if found else "does not match, however it is begun"
    raise Misuse(
        f"project.naming is a regular expression, {wanted.spec}, and {printable(words)} {fault}{like}.",
        advice="Give the whole name of the folder, as the expression wants it.",
    )


def _candidates(words: str, wanted: Convention, there: Sequence[str], now: datetime) -> Iterator[Named]:
    """In the form of the newest that is there; without one, in each form."""
    others = [name for name in there if wanted.pattern.fullmatch(name)]
    newest = others[-1] if others else None
    forms = [form for form in FORMS if newest is None or _read(newest.partition("_")[0], form)]
    yield from (_stamped(words, form, wanted, there, now) for form in forms)
    numbers = [found for name in others if (found := _NUMBER.match(name))]
    if numbers and not forms:
        last = max(numbers, key=lambda found: int(found[2]))
        yield Named(f"{last[1]}{int(last[2]) + 1:0{len(last[2])}}{last[3]}{words}")
    elif newest is None:
        yield from (Named(f"{number}_{words}") for number in ("1", "001", "0001"))
