"""The real Prisma CLI from npm's registry: it applies under gonogo's eyes, and agrees with what gonogo leaves.

Its native engine is not fetched: the CLI runs with a driver adapter, which hides the server's name.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fix_soak import LACKS, needs

from migrations import ledger
from migrations.folder import read_folder
from migrations.prisma.runner import LOCK_FILES
from migrations.problem import Problem
from tests.migrations import prisma_says
from tests.runbooks.steps.test_steps_migrations import APPLY, Session

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

PACKAGES = ("prisma@6.19.3", "@prisma/adapter-pg@7.10.1")
CONFIG = """\
import { defineConfig } from 'prisma/config'
import { PrismaPg } from '@prisma/adapter-pg'
export default defineConfig({
  schema: 'schema.prisma',
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
})
"""
SCHEMA = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
Databases = Callable[..., str]
SCRIPTS = {
    "1_a": "CREATE TABLE a (id int);",
    "2_b": "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);",
    "3_c": "CREATE TABLE c (d text UNIQUE);\nINSERT INTO c VALUES ('ana');\nINSERT INTO c VALUES ('ana');",
}


NPM = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", "cache")
OTHERS = {
    "pnpm-lock.yaml": ("pnpm", "add", "--ignore-scripts", "--store-dir", "store"),
    "yarn.lock": ("yarn", "add", "--ignore-scripts", "--no-progress", "--cache-folder", "cache"),
    "bun.lock": ("bun", "add", "--ignore-scripts", "--cache-dir", "cache"),
}
BUN = f"@oven/bun-linux-{'aarch64' if platform.machine() == 'aarch64' else 'x64'}"


def _install(folder: Path, argv: Sequence[str], packages: Sequence[str], path: str = os.environ["PATH"]) -> None:
    (folder / "package.json").write_text('{"private": true, "scripts": {"release": "prisma migrate deploy"}}')
    env = {**os.environ, "PATH": path}
    done = subprocess.run([*argv, *packages], cwd=folder, env=env, capture_output=True, text=True, timeout=500)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:]
        pytest.skip(f"{LACKS}{packages[0]}, and {argv[0]} cannot fetch it: {' '.join(last)}")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with Prisma installed by npm, whose own configuration says from where."""
    needs("node")
    needs("npm")
    folder = tmp_path_factory.mktemp("npm")
    _install(folder, NPM, PACKAGES)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def managers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH on which pnpm, yarn and bun are found."""
    needs("node")
    needs("npm")
    folder = tmp_path_factory.mktemp("managers")
    _install(folder, NPM, ("pnpm@10.34.9", "yarn@1.22.22", f"{BUN}@1.4.5"))
    for name in ("bun", "bunx"):
        (folder / "node_modules" / ".bin" / name).symlink_to(folder / "node_modules" / BUN / "bin" / "bun")
    yield f"{folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    shutil.rmtree(folder)


class Real(Session):
    """A session of a team that has the real Prisma installed."""

    def __init__(self, url: str, folder: Path, scripts: dict[str, str], installed: Path) -> None:
        super().__init__(url, folder, scripts)
        for name in ("package.json", *LOCK_FILES):
            if (installed / name).exists():
                shutil.copy(installed / name, folder / name)
        (folder / "node_modules").symlink_to(installed / "node_modules")
        (folder / "prisma.config.ts").write_text(CONFIG)
        (folder / "schema.prisma").write_text(SCHEMA)
        # Any file that is there keeps the CLI from fetching its engine.
        self._environ |= {"HOME": os.environ["HOME"], "PRISMA_QUERY_ENGINE_LIBRARY": __file__}

    async def deploy(self, **params: Any) -> Any:
        return await self.run(APPLY, engine="prisma", **params)

    def status(self) -> str:
        """What `prisma migrate status` says in the project itself."""
        return self.migrate("status")

    def migrate(self, *words: str) -> str:
        """What `prisma migrate …` says in the project itself."""
        argv = ["npx", "--no-install", "prisma", "migrate", *words]
        env = {**self._environ, "CHECKPOINT_DISABLE": "1", "NO_COLOR": "1", "CI": "1"}
        done = subprocess.run(
            argv,
            cwd=self.project.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=100,
            stdin=subprocess.DEVNULL,
        )
        return done.stdout + done.stderr


async def test_prisma_and_gonogo_agree_on_what_each_other_left(installed: Path, database: str, tmp_path: Path) -> None:
    team = Real(database, tmp_path, SCRIPTS, installed)
    result = await team.deploy(to="1_a")
    assert [script.name for script in result.scripts] == ["1_a"]
    assert "Prisma 6.19.3, by package-lock.json" in team.found("prisma").evidence
    assert 'using driver adapter "@prisma/adapter-pg"' in team.text()
    assert "Following migrations have not yet been applied:\n2_b\n3_c\n" in team.status()
    with pytest.raises(Problem) as caught:
        await team.deploy()
    assert caught.value.code == "P3018" and "3_c" in caught.value.what
    assert "ana" not in "".join(text for _, text in team.said) + caught.value.detail
    assert team.rows() == [("1_a", "applied"), ("2_b", "applied"), ("3_c", "failed")]
    assert "Following migration have failed:\n3_c" in team.status()
    with pytest.raises(Problem) as caught:
        await team.deploy()
    assert caught.value.code == "P3009"


@pytest.mark.parametrize("lock", OTHERS)
async def test_the_locked_prisma_is_run_by_the_teams_own_package_manager(
    managers: str, database: str, tmp_path: Path, lock: str
) -> None:
    for name in ("it", "team"):
        (tmp_path / name).mkdir()
    _install(tmp_path / "it", OTHERS[lock], PACKAGES, managers)
    team = Real(database, tmp_path / "team", {"1_a": SCRIPTS["1_a"]}, tmp_path / "it")
    team._environ["PATH"] = managers
    await team.deploy()
    assert f"run release (Prisma 6.19.3, by {lock})" in team.found("prisma").evidence
    assert team.rows() == [("1_a", "applied")]


async def test_each_goes_on_where_the_other_left_off(installed: Path, databases: Databases, tmp_path: Path) -> None:
    database = databases()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = Real(database, tmp_path / "a", {"1_a": SCRIPTS["1_a"]}, installed)
    await first.deploy()
    second = Real(database, tmp_path / "b", {"2_b": SCRIPTS["2_b"]}, installed)
    shutil.copytree(first.project.migrations / "1_a", second.project.migrations / "1_a")
    await second.run(APPLY)
    assert second.rows() == [("1_a", "applied"), ("2_b", "applied")]
    assert "Database schema is up to date!" in second.status()


STATES = {
    "done by hand after it had failed": (
        "CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO b VALUES (1)",
        "('1', now(), NULL), ('2', NULL, 'ERROR: no'), ('2', NULL, NULL)",
    ),
    "never begun": ("CREATE TABLE a (id int); CREATE TABLE b (id int)", "('1', now(), NULL)"),
    "no ledger": ("CREATE TABLE a (id int); CREATE TABLE b (id int)", ""),
}
LEFT = (
    "SELECT migration_name, checksum, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, logs, applied_steps_count, "
    "coalesce(started_at = finished_at, false), length(id) FROM _prisma_migrations ORDER BY started_at, id"
)


class Left(Real):
    """A project of two scripts, and a database in some state."""

    def __init__(self, url: str, folder: Path, installed: Path, tables: str, rows: str) -> None:
        folder.mkdir()
        super().__init__(url, folder, {"1": SCRIPTS["1_a"], "2": SCRIPTS["2_b"]}, installed)
        self.query(tables)
        if rows:
            self.query(ledger.TABLE.format(ledger.NAME))
            self.query(
                "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, logs) "
                "SELECT lpad(n::text, 36, '0'), 'sum', name, now() - interval '1 h' + n * interval '1 s', done, why "
                f"FROM (SELECT *, row_number() OVER () AS n FROM (VALUES {rows}) AS v(name, done, why)) AS r"
            )

    async def expected(self) -> str:
        """What the rules that gonogo goes by say of Prisma's status."""
        async with self.connect("read") as conn:
            return prisma_says.status(read_folder(self.project.migrations), await ledger.rows(conn), version=(6, 19))


@pytest.mark.parametrize("state", STATES)
async def test_applied_as_prismas_own_resolve_leaves_it(
    installed: Path, databases: Databases, tmp_path: Path, state: str
) -> None:
    by_prisma = Left(databases(), tmp_path / "prisma", installed, *STATES[state])
    assert "marked as applied" in by_prisma.migrate("resolve", "--applied", "2")
    by_gonogo = Left(databases(), tmp_path / "gonogo", installed, *STATES[state])
    await by_gonogo.run("ledger.resolve", applied="2")
    assert by_gonogo.query(LEFT) == by_prisma.query(LEFT)
    both = {await team.expected() == prisma_says.UP_TO_DATE for team in (by_prisma, by_gonogo)}
    assert both == {prisma_says.UP_TO_DATE in by_gonogo.status()}


async def test_prisma_takes_what_was_marked_as_rolled_back_for_in_order(
    installed: Path, database: str, tmp_path: Path
) -> None:
    """Its own `--rolled-back` needs the native engine, which is not fetched."""
    team = Left(
        database, tmp_path / "it", installed, "CREATE TABLE a (id int)", "('1', now(), NULL), ('2', NULL, 'no')"
    )
    assert "Following migration have failed:\n2" in team.status() and await team.expected() == "failed: 2"
    await team.run("ledger.resolve", rolled_back="2")
    assert prisma_says.UP_TO_DATE in team.status() and await team.expected() == prisma_says.UP_TO_DATE
    team.migrate("deploy")
    assert [state for _, state in team.rows()] == ["applied", "rolled back", "applied"]
