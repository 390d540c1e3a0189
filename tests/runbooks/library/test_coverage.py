"""What five teams' runbooks ask for is done by a runbook that ships: docs/coverage.md leaves no line of theirs out."""

import re
from functools import cache
from pathlib import Path

import pytest

from runbooks.document import read_runbook
from runbooks.library import read_shipped, shipped
from runbooks.session.runbook import CONDITIONS, PHASES

TOP = Path(__file__).parents[3]
TABLE = (TOP / "docs" / "coverage.md").read_text(encoding="utf-8")

SAYS = {
    "1": "3 7-9 13-14 16 18-19 21 23 25-26 28 32-33 35 37-39 43-45 49-50",
    "2": "5 12-13 15-16 18-19 21-22 28-29 31-32 39-44 48-51 55 59 61 64 66-67 70 72-73 75-76 78-79 84 86 88 91 93-94"
    " 97-100 102 104-107 109-112 117 120-123 130-131 133-134 136-137 142 145-146 151 154-155 157-158 163 165-172 176"
    " 178-181 185-187",
    "3": "5 9-12 16-21 25-27 31-32 34-37 39-40 44-48 52-58 60 63-67 72 74-77 79 81-84 86 88-89 93-98 102-110 114-118"
    " 122-125 129-133 137-140 144-145 150-153 155-157 162-167 171-174 178-179",
    "4": "5 8-13 21-24 30 33-37 39 44-45 47-48 54 57 62 65 71-74 78 81 84-87 92 95-97 101 103-108 112 114-117 121 123"
    " 125 127-128 130",
    "5": "3 6-8 11-15 18-27 30 32-35 37 40-43 46-52 55-57 60-62 65-69 72-74",
}
"""The lines that say something, by document: sentences, commands, boxes; not headings over other lines, nor fences."""

Row = tuple[str, str, str, str]


def rows() -> dict[str, list[Row]]:
    """By document: line, what it asks for, where it is done, and why otherwise."""
    parts = re.split(r"^## (\d): .*$", TABLE, flags=re.MULTILINE)[1:]
    found = {}
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        cells = (line.strip("| \n").split(" | ") for line in text.splitlines() if re.match(r"\| \d", line))
        found[number] = [(line, asks, by.rstrip("| "), " ".join(why)) for line, asks, by, *why in cells]
    return found


def numbers(ranges: str) -> set[int]:
    """`3 7-9` as the numbers that it stands for."""
    ends = [[int(end) for end in part.split("-")] for part in ranges.split()]
    return {number for first, *last in ends for number in range(first, (last or [first])[0] + 1)}


@cache
def places(name: str) -> frozenset[str]:
    """All that a row may name of a runbook."""
    read = read_runbook(read_shipped(name), name=name)
    items = (item.id for section in (*read.phases, *read.options) for item in section.items)
    later = {one.id for one in read.follow_ups}
    named = {"rollback", "troubleshooting", "contacts", "owner", "reviewed", *PHASES}
    conditions = {item.when for section in read.sections() for item in section.items} & set(CONDITIONS)
    advice = {f"troubleshooting/{one.see}" for one in read.troubleshooting}
    steps = {step.id for step in read.steps()}
    return frozenset(
        {*steps, *items, *later, *named, *advice, *(f"when/{c}" for c in conditions), *(o.id for o in read.options)}
    )


@cache
def checks() -> str:
    """The source of all that reports checks."""
    return "\n".join(file.read_text() for file in (TOP / "runbooks").rglob("*.py"))


def missing(name: str, place: str) -> bool:
    """Whether the runbook has no such place. `step/check` is one if a step can report that check."""
    if place.startswith("gonogo.toml "):
        return f"\n| `{place.split()[1]}` |" not in (TOP / "docs" / "project.md").read_text(encoding="utf-8")
    if place.startswith("gonogo "):
        return f"\n| `{place} " not in (TOP / "README.md").read_text(encoding="utf-8")
    step, _, check = place.partition("/")
    known = places(name)
    return place not in known and not (check and step in known and f'"{check}"' in checks())


@pytest.mark.parametrize("document", SAYS)
def test_every_line_that_says_something_has_a_row(document: str) -> None:
    covered = {number for line, *_ in rows()[document] for number in numbers(line)}
    assert covered == numbers(SAYS[document])


@pytest.mark.parametrize("document", SAYS)
def test_every_row_leads_to_what_a_shipped_runbook_has(document: str) -> None:
    wrong = []
    for line, asks, by, _ in rows()[document]:
        parts = [re.fullmatch(r"([a-z-]+): (`[^`]+`(?:, `[^`]+`)*)", part) for part in by.split(" · ")]
        assert asks and all(parts), f"line {line}: {by}"
        for part in parts:
            assert part is not None
            name, named = part.groups()
            found = re.findall(r"`([^`]+)`", named)
            wrong += [f"line {line}: {name} {p}" for p in found if name not in shipped() or missing(name, p)]
    assert wrong == []


def test_a_row_that_leads_nowhere_is_found() -> None:
    assert missing("backend", "dmup") and missing("backend", "scripts/nmaes") and missing("backend", "gonogo bakcup")
    assert missing("backend", "gonogo.toml namign")
    for place in ("scripts/names", "gonogo backup", "gonogo.toml naming"):
        assert not missing("backend", place)
