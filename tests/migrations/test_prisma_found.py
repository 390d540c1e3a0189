"""Prisma's command is found by the lock file, and what it says is understood."""

import json
from pathlib import Path

import pytest

from migrations.prisma.address import differs, environment, with_name
from migrations.prisma.codes import CODES, explained
from migrations.prisma.layout import Layout, find_layout
from migrations.prisma.runner import find
from migrations.prisma.said import Datasource, Said
from migrations.prisma.version import version
from migrations.prisma.workplace import Workplace
from migrations.problem import Misuse, Problem, Unavailable
from migrations.target import Url
from tests.migrations.prisma_stand_in import install

PROGRAMS = ("node", "npx", "npm", "pnpm", "yarn", "bun", "bunx")
SCHEMA = 'datasource db {\n  url = env("DATABASE_URL")\n}\n'


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A PATH with every package manager's name on it."""
    for name in PROGRAMS:
        (tmp_path / "bin" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text("")
        (tmp_path / "bin" / name).chmod(0o755)
    return {"PATH": str(tmp_path / "bin")}


def project(folder: Path, *locks: str, **manifest: object) -> Path:
    """A project with these lock files and this package.json; its migrations folder."""
    migrations = folder / "shop" / "prisma" / "migrations"
    migrations.mkdir(parents=True)
    (folder / "shop" / "package.json").write_text(json.dumps(manifest))
    for lock in locks:
        (folder / "shop" / lock).write_text("")
    return migrations


SCRIPTS = {"start": "prisma migrate deploy && node .", "db:deploy": "prisma  migrate deploy"}


@pytest.mark.parametrize(
    ("lock", "cli", "scripted"),
    [
        ("package-lock.json", "npx --no-install prisma", "npm run db:deploy"),
        ("npm-shrinkwrap.json", "npx --no-install prisma", "npm run db:deploy"),
        ("pnpm-lock.yaml", "pnpm exec prisma", "pnpm run db:deploy"),
        ("yarn.lock", "yarn run prisma", "yarn run db:deploy"),
        ("bun.lock", "bunx --no-install prisma", "bun run db:deploy"),
        ("bun.lockb", "bunx --no-install prisma", "bun run db:deploy"),
    ],
)
def test_the_lock_file_says_how(tmp_path: Path, env: dict[str, str], lock: str, cli: str, scripted: str) -> None:
    plain = find(project(tmp_path / "a", lock), None, env, project=tmp_path)
    assert (" ".join(plain.cli), plain.words, plain.folder) == (cli, f"{cli} migrate deploy", tmp_path / "a" / "shop")
    named = find(project(tmp_path / "b", lock, scripts=SCRIPTS), None, env, project=tmp_path)
    assert (" ".join(named.cli), named.words) == (cli, scripted)


@pytest.mark.parametrize("hook", ["predb:deploy", "postdb:deploy"])
def test_a_script_with_which_others_run_is_not_run_by_its_name(tmp_path: Path, env: dict[str, str], hook: str) -> None:
    migrations = project(tmp_path, "package-lock.json", scripts={**SCRIPTS, hook: "node seed.js"})
    assert find(migrations, None, env, project=tmp_path).words == "npx --no-install prisma migrate deploy"
    alone = project(tmp_path / "b", "package-lock.json", scripts={**SCRIPTS, hook: "x", "up": SCRIPTS["db:deploy"]})
    assert find(alone, None, env, project=tmp_path).words == "npm run up"


def test_the_lock_file_of_a_workspace_stands_above(tmp_path: Path, env: dict[str, str]) -> None:
    migrations = project(tmp_path)
    (tmp_path / "pnpm-lock.yaml").write_text("")
    assert find(migrations, None, env, project=tmp_path).why == "pnpm-lock.yaml"


@pytest.mark.parametrize(
    ("locks", "command", "words"),
    [
        ((), None, "No lock file says"),
        (("yarn.lock", "package-lock.json"), None, "lock files of several package managers"),
        ((), "npx prisma", "would fetch some version"),
        ((), "npx prisma@6 migrate deploy", "would fetch some version"),
        ((), "npm exec prisma", "would fetch some version"),
        ((), "pnpm dlx prisma", "would fetch some version"),
        ((), "bunx prisma", "would fetch some version"),
        ((), "", "is no command"),
        ((), "yarn 'run", "is no command"),
    ],
)
def test_nothing_is_guessed_and_nothing_fetched(
    tmp_path: Path, env: dict[str, str], locks: tuple[str, ...], command: str | None, words: str
) -> None:
    with pytest.raises(Misuse, match=words):
        find(project(tmp_path, *locks), command, env, project=tmp_path)


def test_a_given_command_needs_no_lock_file_but_its_program(tmp_path: Path, env: dict[str, str]) -> None:
    migrations = project(tmp_path)
    runner = find(migrations, "pnpm --filter db exec prisma migrate deploy", env, project=tmp_path)
    assert (runner.cli[-1], runner.words) == ("prisma", "pnpm --filter db exec prisma migrate deploy")
    for command in ("turbo prisma", "node_modules/.bin/prisma"):
        with pytest.raises(Unavailable):
            find(migrations, command, env, project=tmp_path)


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [("8.0.0-rc.2", Problem, "keeps another ledger"), ("?", Unavailable, "tells no version of Prisma")],
)
async def test_only_known_versions_are_driven(tmp_path: Path, said: str, error: type, words: str) -> None:
    migrations = project(tmp_path)
    install(tmp_path / "shop")
    runner = find(migrations, "node_modules/.bin/prisma", {}, project=tmp_path)
    with pytest.raises(error, match=words):
        await version(runner, {"STAND_IN_VERSION": said})
    assert (await version(runner, {"STAND_IN_VERSION": "7.4.0"})).words.startswith("sends a script statement by")


def test_config_and_schema_are_looked_for_as_prisma_does(tmp_path: Path) -> None:
    migrations = project(tmp_path, prisma={"schema": "db/main.prisma"})
    shop = tmp_path / "shop"
    with pytest.raises(Misuse, match="which package"):
        find_layout(shop, migrations, 6)
    (shop / "package.json").write_text("{}")
    with pytest.raises(Misuse, match="neither a Prisma schema nor a Prisma config"):
        find_layout(shop, migrations, 6)
    (shop / "prisma" / "models").mkdir()
    (shop / "prisma" / "models" / "base.prisma").write_text(SCHEMA)
    assert find_layout(shop, migrations, 6) == Layout(None, shop / "prisma")
    (shop / "prisma" / "schema.prisma").write_text(SCHEMA)
    assert find_layout(shop, migrations, 6) == Layout(None, shop / "prisma" / "schema.prisma")
    (shop / "prisma.config.ts").write_text("")
    (shop / "prisma7.config.mts").write_text("")
    assert find_layout(shop, migrations, 6).config == shop / "prisma.config.ts"
    assert find_layout(shop, migrations, 7).config == shop / "prisma7.config.mts"


def test_the_copy_of_a_schema_in_a_folder_has_its_migrations_where_prisma_looks(tmp_path: Path) -> None:
    (tmp_path / "schema" / "models").mkdir(parents=True)
    (tmp_path / "schema" / "models" / "base.prisma").write_text(SCHEMA)
    (tmp_path / "schema" / "other.prisma").write_text("enum A { B }")
    place = Workplace(tmp_path / "copy", Layout(None, tmp_path / "schema"), {"1_a": b"SELECT 1;"})
    place.make()
    place.unmark()
    assert place.migrations == tmp_path / "copy" / "schema" / "models" / "migrations"
    assert place.arguments == ("--schema", str(tmp_path / "copy" / "schema"))
    assert (place.migrations / "1_a" / "migration.sql").stat().st_mode & 0o777 == 0o400
    assert place.changed() == ()
    (place.migrations / "2_b").parent.chmod(0o700)
    (place.migrations / "2_b").mkdir()
    (place.migrations / "2_b" / "migration.sql").write_text("x")
    assert place.changed() == ("2_b",)
    place.remove()
    assert not place.folder.exists()


@pytest.mark.parametrize(
    ("config", "schema", "read"),
    [
        ("", "", ""),
        ("", "../../state/copy/schema.prisma", ""),
        ("", "state/copy/schema.prisma", ""),
        ("", "prisma/schema.prisma", "prisma/schema.prisma"),
        ("", "schema.prisma", "schema.prisma"),
        ("prisma.config.ts", "copy/schema.prisma", ""),
    ],
)
def test_what_it_reads_is_known_by_the_path_that_it_shows(config: str, schema: str, read: str) -> None:
    place = Workplace(Path("/home/ana/state/copy"), Layout(None, Path("schema.prisma")), {})
    assert place.astray(config, schema) == read
    led = Workplace(Path("/home/ana/state/copy"), Layout(Path("prisma.config.ts"), None), {})
    assert led.astray("../state/copy/prisma.config.ts", "prisma/schema.prisma") == ""
    assert led.astray("prisma.config.ts", "") == "prisma.config.ts"


HERE = Url.parse("postgresql://ana:word@DB.local/shop?host=/run/pg&schema=app", variable="DATABASE_URL")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('"shop", schema "app" at "db.local:5432"', ""),
        ('"shop", schema "app" at "db.local"', ""),
        ('"shop", schemas "app, audit" at "db.local:5432"', ""),
        ('"shop", schema "app" using driver adapter "@prisma/adapter-pg"', ""),
        ('"shop", schema "app" at "db.local:5433"', "it goes to db.local:5433, not to DB.local"),
        ('"shop", schema "app" at "db.other"', "it goes to db.other, not to DB.local"),
        ('"shop", schema "app"', "it goes to a server without a name, not to DB.local"),
        ('"shop2", schema "app" at "db.local"', "it goes to the database shop2, not to shop"),
        ('"shop", schema "public" at "db.local"', "it keeps its ledger in the schema public, not in app"),
    ],
)
async def test_where_it_goes_is_read(line: str, words: str) -> None:
    said = await heard(out=f'\x1b[2mDatasource "db": PostgreSQL database {line}\x1b[22m\n')
    assert said.datasource is not None and differs(said.datasource, HERE) == words


def test_another_product_is_not_the_target() -> None:
    assert differs(Datasource("CockroachDB", "shop", "app", "db.local", ""), HERE) == "it goes to CockroachDB"


async def heard(out: str = "", err: str = "") -> Said:
    """What is made of this output, which comes in small pieces; `shown` is what a person sees."""
    shown: list[str] = []

    async def keep(stream: str, text: str) -> None:
        shown.append(text)

    said = Said(keep)
    for stream, text in (("out", out), ("err", err)):
        for at in range(0, len(text), 7):
            await said.take(stream, text[at : at + 7])  # type: ignore[arg-type]
    await said.close()
    said.shown = "".join(shown)  # type: ignore[attr-defined]
    return said


TALK = "Prisma schema loaded from prisma/schema.prisma\n"
P3018 = """Error: P3018

A migration failed to apply. New migrations cannot be applied before the error is recovered from.

Database error code: 23505

Database error:
ERROR: duplicate key value violates unique constraint "c_d_key"
DETAIL: Key (d)=(ana
and bea) already exists.

DbError { severity: "ERROR", detail: Some("Key (d)=(\\"ana\\") already exists."), hint: None }
"""


P1012 = """Error: Prisma schema validation - (get-config wasm)
Error code: P1012
error: Environment variable not found: DIRECT_URL.
  -->  prisma/schema.prisma:4
"""


@pytest.mark.parametrize("stream", ["out", "err"])
async def test_codes_are_understood_in_both_streams_and_forms(stream: str) -> None:
    said = await heard(**{stream: f"{TALK}\n{P3018}"})
    problem = explained("npx prisma", said, 1)
    assert (problem.code, said.sqlstate) == ("P3018", "23505")
    seen = said.shown + problem.detail  # type: ignore[attr-defined]
    assert "ana" not in seen and "bea" not in seen and "c_d_key" in problem.detail and "hint: None" in problem.detail
    said = await heard(**{stream: f"{TALK}Error: P1001: Can't reach database server at `x`"})
    assert explained("npx prisma", said, 1).what == "Prisma stopped with P1001: the server cannot be reached."
    problem = explained("npx prisma", await heard(**{stream: P1012}), 1)
    assert problem.code == "P1012" and "(Environment variable not found: DIRECT_URL)" in problem.what
    said = await heard(**{stream: "Error: P9999\n\nSomething new."})
    assert explained("npx prisma", said, 1).what == "Prisma stopped with P9999: Something new."
    said = await heard(**{stream: "Error: Could not find Prisma Schema"})
    assert explained("npx prisma", said, 1).what == "npx prisma ended with exit status 1: Could not find Prisma Schema."


async def test_pending_names_are_listed_in_both_forms() -> None:
    said = await heard(out=f"{TALK}Following migration have not yet been applied:\n1_a\n\nTo apply …\n")
    assert said.pending == ("1_a",)
    said = await heard(
        err="different:\n\nThe migrations have not yet been applied:\n1_a\n2_b\n\nThe migration from …:\n0\n"
    )
    assert said.pending == ("1_a", "2_b")


def test_every_code_has_words_and_a_way_out() -> None:
    for code, (what, advice) in CODES.items():
        assert what and advice.endswith("."), code


def test_the_name_of_its_sessions_goes_into_the_address_alone() -> None:
    assert with_name("postgresql://h/d", "gonogo x") == "postgresql://h/d?application_name=gonogo%20x"
    assert with_name("postgresql://h/d?a=1&application_name=y&b", "z") == "postgresql://h/d?a=1&b&application_name=z"
    odd = {"FORCE_COLOR": "1", "PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK": "1"}
    built = environment({"A": "postgresql://h/d", "B": "x", **odd}, ["A", "C"], "n")
    assert built["A"].endswith("?application_name=n") and built["B"] == "x"
    assert not odd.keys() & built.keys() and built["CHECKPOINT_DISABLE"] == built["NO_COLOR"] == "1"
