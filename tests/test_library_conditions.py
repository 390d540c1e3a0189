"""What shipped runbooks have under conditions, and names with a dash: walked to the end on the shop."""

import psycopg
import pytest
from fix_live import Live
from test_library_walks import answers, use, walked

from runbooks.document import read_runbook
from runbooks.library import read_shipped, shipped
from runbooks.session import events as e
from runbooks.session.runbook import Condition
from runbooks.session.view import RunView

WIDER = '-- More than an integer holds.\nALTER TABLE "orders" ALTER COLUMN "quantity" TYPE BIGINT;\n'
FIRST_ROWS = """
INSERT INTO customers (email, name) VALUES ('first@shop.example', 'First');
INSERT INTO products (sku, title, price_cents) VALUES ('SKU-1', 'Product 1', 107);
"""
FILL = "psql -qX -v ON_ERROR_STOP=1 -f "


def having(*conditions: Condition) -> list[str]:
    """The shipped runbooks that have something for one of these."""
    runbooks = (read_runbook(read_shipped(name), name=name) for name in shipped())
    return [r.name for r in runbooks if {p.when for s in r.sections() for p in (*s.steps, *s.items)} & {*conditions}]


def change(live: Live, table: str, lines: str) -> None:
    """Put lines at the beginning of a table of gonogo.toml, which may be new; what they name is said no more below."""
    path = live.small.folder / "gonogo.toml"
    header = f"[{table}]\n"
    names = tuple(f"{line.partition(' = ')[0]} = " for line in lines.splitlines())
    kept = "".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith(names))
    before, _, after = kept.partition(header)
    path.write_text(f"{before}{header}{lines}\n{after}")


def ends(live: Live) -> list[str]:
    """The steps that ended, in their order."""
    return [event.step for event in live.events if isinstance(event, e.StepEnded)]


def of(view: RunView, condition: Condition) -> set[str]:
    """The steps and items that the runbook has for it."""
    return {p.id for phase in view.runbook.phases for p in (*phase.steps, *phase.items) if p.when == condition}


@pytest.mark.soak
@pytest.mark.parametrize("name", having("rewrite", "blocking"))
async def test_a_table_that_is_written_anew_for_too_long(at_the_shop: Live, name: str) -> None:
    live = at_the_shop
    use(live, name)
    live.small.migration("../prisma/migrations/20251106090000_wider_quantity", WIDER)
    change(live, "review", 'reads_blocked = "300us"')
    view = await walked(live, answers(live, name))
    assert {"rewrite", "blocking"} <= set(view.conditions)
    assert of(view, "rewrite") | of(view, "blocking") <= {*view.items, *ends(live)}
    for pair in (step for step in view.runbook.steps() if step.when == "blocking" and step.undo):
        order = [step for step in ends(live) if step in (pair.id, "apply", "deploy", pair.undo)]
        assert order == [pair.id, "apply", "deploy", pair.undo]
    assert not view.pairs


@pytest.mark.soak
@pytest.mark.parametrize(("name", "protected"), [("web-app", True), *((name, False) for name in having("first_run"))])
async def test_a_database_that_is_new(at_the_shop: Live, name: str, protected: bool) -> None:
    live = at_the_shop
    use(live, name)
    with psycopg.connect(live.small.url) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    (live.small.folder / "rows.sql").write_text(FIRST_ROWS)
    (live.small.folder / "seed.sql").write_text(FIRST_ROWS)
    seeds = any(step.id == "seed" for step in read_runbook(read_shipped(name), name=name).steps())
    fills = f'seed = "{FILL}seed.sql"' if seeds else f'deploy = "{FILL}rows.sql"'
    change(live, "environments.here.values", fills)
    given = answers(live, name)
    if protected:
        change(live, "environments.here", 'protected = true\nnotify = ["true"]')
        given.answers.update({"opening/environment": "here", "seed/seed": "here"})
    walk = await walked(live, given, emergency="nobody is there" if protected else "")
    assert "first_run" in walk.conditions
    assert of(walk, "first_run") <= {*walk.items, *ends(live)}
    asked = [event.question for event in live.events if isinstance(event, e.QuestionAsked)]
    assert asked == (["opening/environment", "seed/seed"] if protected else [])
    with psycopg.connect(live.small.url) as connection:
        filled = connection.execute("SELECT email FROM customers").fetchall()
    assert filled == [("first@shop.example",)] or not (seeds or "deploy" in ends(live))


@pytest.mark.soak
async def test_names_that_have_a_dash(at_the_shop: Live) -> None:
    live = at_the_shop
    use(live, "backend")
    for folder in (live.small.folder / "prisma" / "migrations").glob("*_*/"):
        folder.rename(folder.with_name(f"{folder.name[:8]}-{folder.name[8:]}"))
    with psycopg.connect(live.small.url) as connection:
        connection.execute(
            "UPDATE _prisma_migrations SET migration_name = overlay(migration_name placing '-' from 9 for 0)"
        )
    change(live, "project", 'naming = "dashed"')
    view = await walked(live, answers(live, "backend"))
    assert [check.outcome for check in view.step("scripts").checks if check.id == "names"] == ["ok"]
    with psycopg.connect(live.small.url) as connection:
        (last,) = connection.execute("SELECT max(migration_name) FROM _prisma_migrations").fetchone() or ("",)
    assert last == "20251105-120000_drop_coupons"
