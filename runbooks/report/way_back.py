"""The way back that was taken: what the runbook says of it, and how it went on the environment beside."""

from collections.abc import Iterator

from runbooks.report.parts import Part, Point, Points, Value, Words
from runbooks.report.words import took
from runbooks.session import events as e
from runbooks.session.runbook import Option


def way_back_parts(opened: e.SessionOpened, name: str | None) -> Iterator[Part]:
    """Nothing for a phase, which is no way back."""
    option = next((one for one in opened.runbook.options if one.id == name), None)
    if option is not None:
        yield Points(tuple(Point(words) for words in _words(opened, option)))


def _words(opened: e.SessionOpened, option: Option) -> Iterator[Words]:
    yield ("costs: ", Value(option.costs or "not said"))
    yield ("loses: ", Value(option.loses or "not said"))
    if option.read_by:
        yield ("to be read by: ", Value(option.read_by))
    if option.application:
        yield ("the app: ", Value(option.application))
    yield ("tried: ", Value(tried_words(opened.tried.get(option.id))))


def tried_words(one: e.Tried | None) -> str:
    """How a way back went on the environment beside, in a sentence for people."""
    if one is None:
        return "nowhere that this machine knows of"
    how = "to its end" if one.ended else "and NOT to its end"
    other = "" if one.same else "; its steps were others then"
    return f"on {one.environment} {how}, {one.at[:10]}, its steps took {took(one.us)} ({one.session}){other}"
