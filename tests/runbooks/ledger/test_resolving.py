"""What is proposed as a baseline: no more than the catalog speaks for."""

from pathlib import Path

import pytest

from migrations.target import Pinned, Url
from runbooks.ledger.examined import Examined
from runbooks.ledger.resolving import Looked, fitting
from tests.migrations.ledgers import World

PUSHED = {
    "1": "CREATE TABLE a (id int)",
    "2": "CREATE TABLE old ()",
    "3": "UPDATE a SET id = 1",
    "4": "CREATE TABLE b ()",
}
NEXT: dict[str, tuple[dict[str, str], str | None, str]] = {
    "a backfill": ({"5": "UPDATE a SET id = 2"}, "4", "Nothing speaks against those up to 4; not shown: 3, 5."),
    "a drop": ({"5": "DROP TABLE old"}, "4", "Nothing speaks against those up to 4; not shown: 2, 3, 5."),
    "behind a gap": ({"5": "CREATE TABLE c ()", "6": "UPDATE a SET id = 2"}, "4", "not shown: 3."),
    "only rows": ({"0": "SELECT 1", "1": "CREATE TABLE none_such ()"}, None, "none of them; not shown: 0."),
    "not even the first": ({"1": "CREATE TABLE none_such ()"}, None, "The catalog has not even the first."),
}


@pytest.mark.parametrize("case", NEXT)
async def test_what_the_catalog_does_not_show_is_not_proposed(database: str, tmp_path: Path, case: str) -> None:
    scripts, last, words = NEXT[case]
    world = World(database, tmp_path / "migrations", {**PUSHED, **scripts})
    world.sql(";".join(PUSHED.values()))
    target = Pinned(Url.parse(database, variable="D"))
    await (await target.open("read", application_name="gonogo resolve")).close()
    fits = await fitting(Looked(target, Examined(await world.facts(), ()), protected=False))
    assert fits.last == last and words in fits.words
