"""docs/statements.md has every row that it must have, with rules that exist or with claims; nothing is left over."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrations.locks import Lock
from migrations.locks.claims import claims
from migrations.rule_pages import pages
from migrations.rules import judge, rules
from migrations.sql import read_script

DOCS = Path(__file__).parents[2] / "docs"
PROOF_ONLY = "proof only"
SECTIONS = {
    "Columns": 15,
    "Constraints": 12,
    "Tables": 29,
    "Indexes and partitions": 13,
    "Triggers, policies, types, privileges": 17,
    "Across statements": 12,
    "Loss that hides": 6,
}
"""How many rows each table has at the least."""

LOCKS = re.compile("|".join(sorted(Lock, key=len, reverse=True)))
CODE = re.compile("`[^`]*`")


@dataclass(frozen=True)
class Row:
    section: str
    text: str
    cells: tuple[str, ...]

    @property
    def codes(self) -> list[str]:
        return re.findall(r"`([a-z-]+)`", self.cells[-1])


def rows() -> list[Row]:
    found = []
    section = ""
    for line in (DOCS / "statements.md").read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| ") and not line.startswith(("| statement |", "| what the script does |")):
            cells = tuple(cell.strip() for cell in line.strip("| ").split(" | "))
            found.append(Row(section, cells[0].replace("`", ""), cells))
    return found


ROWS = rows()
CLAIMED = [row for row, _ in claims()]


def test_no_row_is_lost() -> None:
    counted = {section: sum(row.section == section for row in ROWS) for section in SECTIONS}
    assert all(counted[section] >= least for section, least in SECTIONS.items()), counted
    assert {row.section for row in ROWS} == set(SECTIONS)
    texts = [row.text for row in ROWS]
    assert sorted(texts) == sorted(set(texts))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.text)
def test_a_row_names_rules_that_exist_or_is_proven_by_claims(row: Row) -> None:
    if row.cells[-1] == PROOF_ONLY:
        assert row.text in CLAIMED
    else:
        assert row.codes
        assert set(row.codes) <= {rule.code for rule in rules()}


def test_every_rule_stands_in_a_row_and_every_claim_proves_one() -> None:
    assert {code for row in ROWS for code in row.codes} == {rule.code for rule in rules()}
    assert set(CLAIMED) <= {row.text for row in ROWS}


def test_every_row_about_a_statement_is_proven() -> None:
    about_statements = [row.text for row in ROWS if len(row.cells) == 4]
    assert set(about_statements) == set(CLAIMED)


@pytest.mark.parametrize("row", [row for row in ROWS if len(row.cells) == 4], ids=lambda row: row.text)
def test_a_row_says_what_the_server_confirms(row: Row) -> None:
    proofs = [claim for text, claim in claims() if text == row.text and not claim.fails]
    _, lock, work, _ = (CODE.sub("", cell) for cell in row.cells)
    assert set(LOCKS.findall(lock)) == {lock for claim in proofs for lock in claim.locks.values()}
    assert ("rewrite" in work) == any(claim.rewrites for claim in proofs)
    assert any(claim.scans and claim.locks for claim in proofs) <= bool(re.search("scan|build|rewrite|data", work))


@pytest.mark.parametrize("row", [row for row in ROWS if len(row.cells) == 4], ids=lambda row: row.text)
def test_the_rules_of_a_row_find_its_statements(row: Row) -> None:
    found = {
        finding.rule
        for text, claim in claims()
        if text == row.text
        for script in (claim.sql, f"{claim.setup};{claim.sql}")
        for finding in judge(read_script(script), also=row.codes)
    }
    assert set(row.codes) <= found


def test_the_pages_of_the_rules_are_as_the_rules_are() -> None:
    written = {path.name: path.read_text() for path in (DOCS / "rules").glob("*.md")}
    assert written == pages(), "run `make rule-pages`"
