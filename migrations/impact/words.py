"""Rows, sizes and times in words, rounded to what is known of them."""

from collections.abc import Iterator

from migrations.impact.estimate import Span
from migrations.impact.known import Activity, Relation
from migrations.sql.names import Name, shown

GUESSED = "guessed from the size, not rehearsed"
SHOWN = 5
"""So many of a kind are named; the rest is counted."""

_COUNTS = ((10**9, "billion"), (10**6, "million"))
_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_TIMES = ((3600 * 10**6, "h"), (60 * 10**6, "min"), (10**6, "s"), (10**3, "ms"))


def count_text(count: int) -> str:
    """`40`, `1 200`, `41 million`."""
    for unit, word in _COUNTS:
        if count >= unit:
            return f"{_tenths(count, unit)} {word}"
    return f"{count:,}".replace(",", " ")


def size_text(size: int) -> str:
    """`8.2 kB`, `5.2 GB`."""
    for unit, word in _SIZES:
        if size >= unit:
            return f"{_tenths(size, unit)} {word}"
    return f"{size} bytes"


def time_text(microseconds: int) -> str:
    """`12 ms`, `4.2 s`, `3 min`."""
    for unit, word in _TIMES:
        if microseconds >= unit:
            return f"{_tenths(microseconds, unit)} {word}"
    return "no time" if microseconds == 0 else "less than 1 ms"


def span_text(span: Span) -> str:
    """`26 s to 4 min`, `at least 12 s`, `up to 5 ms`; empty where nothing is known."""
    if span.most is None:
        return f"at least {time_text(span.least)}" if span.least >= 10**6 else ""
    if span.least < 10**3:
        return f"up to {time_text(span.most)}"
    least, most = time_text(span.least), time_text(span.most)
    return least if least == most else f"{least} to {most}"


def rows_text(relation: Relation) -> str:
    """`41 million rows`, `no rows`, `never analysed`."""
    if relation.empty:
        return "no rows"
    if relation.rows is None:
        return "never analysed"
    return "1 row" if relation.rows == 1 else f"{count_text(relation.rows)} rows"


def relation_text(relation: Relation) -> str:
    """`orders has 41 million rows, 5.2 GB`, `orders was never analysed, 5.2 GB`."""
    if relation.empty:
        return f"{relation.shown} is empty"
    verb = "was" if relation.rows is None else "has"
    size = "" if relation.bytes is None else f", {size_text(relation.bytes)}"
    return f"{relation.shown} {verb} {rows_text(relation)}{size}"


def _tenths(amount: int, unit: int) -> str:
    """With one decimal below ten."""
    if amount >= 10 * unit:
        return str((amount + unit // 2) // unit)
    tenths = (amount * 10 + unit // 2) // unit
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def facts(relation: Relation, slots: tuple[str, ...]) -> tuple[str, ...]:
    """What else is worth knowing of a relation that will be locked."""
    return tuple(word for word in _facts(relation, slots) if word)


def _facts(relation: Relation, slots: tuple[str, ...]) -> Iterator[str]:
    if relation.kind != "table":
        yield relation.kind
    if relation.partitions:
        yield f"{relation.partitions} partition{'s' * (relation.partitions != 1)}, counted together"
    if relation.parent:
        yield f"partition of {relation.parent.name}"
    if relation.indexes:
        count = len(relation.indexes)
        yield f"{count} index{'es' * (count != 1)}, {size_text(relation.indexes_size)}"
    invalid = [shown(index.name) for index in relation.indexes if not index.valid]
    if invalid:
        yield f"INVALID: {', '.join(invalid)}"
    yield _partners("references", [key.partner for key in relation.keys_out])
    yield _partners("referenced by", [key.partner for key in relation.keys_in])
    if relation.triggers:
        yield f"{relation.triggers} trigger{'s' * (relation.triggers != 1)}"
    if relation.dead and relation.rows and relation.dead * 10 > relation.rows > 1000:
        yield f"{count_text(relation.dead)} dead rows"
    if relation.publications:
        slot = f" (slot {', '.join(map(shown, slots))})" if slots else ""
        yield f"published by {', '.join(map(shown, relation.publications))}{slot}"
    if relation.activity:
        yield _activity(relation.activity)
    if relation.sessions:
        yield f"{relation.sessions} session{'s' * (relation.sessions != 1)} at work on it now"
    if relation.sized == "analysed" and relation.heap is not None:
        yield "size as of its last ANALYZE"


def _partners(how: str, partners: list[Name]) -> str:
    names = list(dict.fromkeys(shown(partner.name) for partner in partners))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{how} {', '.join(names[:SHOWN])}{more}" if names else ""


def _activity(activity: Activity) -> str:
    if not activity.seconds or activity.seconds < 60:
        return f"rows written so far: {count_text(activity.writes)}, scans: {count_text(activity.reads)}"
    writes, reads = (_rate(count / activity.seconds) for count in (activity.writes, activity.reads))
    return f"rows written in a second: {writes}, scans: {reads}, since {activity.since}"


def _rate(rate: float) -> str:
    if rate >= 10:
        return count_text(round(rate))
    return f"{rate:.1f}" if rate >= 0.05 else "next to no"
