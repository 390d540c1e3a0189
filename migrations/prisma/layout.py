"""Where a project keeps its Prisma schema and config, looked for as Prisma does."""

import re
from dataclasses import dataclass
from pathlib import Path

from migrations.prisma.runner import read_manifest
from migrations.problem import Misuse

ENDINGS = ("js", "ts", "mjs", "cjs", "mts", "cts")
CONFIGS = ("prisma.config", ".config/prisma", ".config/prisma.config")
CONFIGS_7 = ("prisma7.config", ".config/prisma7", *CONFIGS)
SCHEMA = "schema.prisma"
DATASOURCE = re.compile(r"^\s*datasource\s+\w+\s*\{", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Layout:
    """`schema` is a file, or a folder of them; with a `config` it is what counts where that one names none."""

    config: Path | None
    schema: Path | None


def find_layout(folder: Path, migrations: Path, major: int) -> Layout:
    """Look in the package's folder, and beside the migrations. Raises Misuse if Prisma would find nothing either."""
    names = CONFIGS_7 if major >= 7 else CONFIGS
    places = (folder / f"{name}.{ending}" for name in names for ending in ENDINGS)
    config = next((path for path in places if path.is_file()), None)
    schema = _schema(folder, migrations)
    if config is None and schema is None:
        raise Misuse(
            f"There is neither a Prisma schema nor a Prisma config in {folder}.",
            advice='Name the schema in package.json ("prisma": {"schema": "…"}), or write a prisma.config.ts.',
        )
    return Layout(config, schema)


def _schema(folder: Path, migrations: Path) -> Path | None:
    named = read_manifest(folder).get("prisma")
    if isinstance(named, dict) and isinstance(named.get("schema"), str):
        path: Path = folder / named["schema"]
        if not path.exists():
            raise Misuse(f"There is no Prisma schema {path}, which package.json names.")
        return path
    beside = migrations.parent
    found = next((p for p in (beside / SCHEMA, folder / "prisma" / SCHEMA, folder / SCHEMA) if p.is_file()), None)
    return found or (beside if datasource_file(beside) else None)


def datasource_file(folder: Path) -> Path | None:
    """The file of a schema in several files that holds its datasource; the migrations stand beside that one."""
    files = sorted(folder.rglob("*.prisma"))
    return next((path for path in files if DATASOURCE.search(path.read_text("utf-8", "replace"))), None)
