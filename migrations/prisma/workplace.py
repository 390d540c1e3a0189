"""A private copy of the reviewed scripts, to which Prisma is led: what it runs was reviewed, whatever is edited."""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrations.folder import LOCK_FILE, PROVIDER, SCRIPT
from migrations.prisma.layout import Layout, datasource_file
from migrations.problem import Unavailable

# Prisma resolves the paths of a config from where it stands, so they are made absolute here.
CONFIG = """\
import path from 'node:path'
import theirs from {config}

const schema = theirs.schema ? path.resolve({folder}, theirs.schema) : {schema}
const migrations = {{ ...theirs.migrations, path: {migrations} }}
export default {{ ...theirs, migrations, ...(schema ? {{ schema }} : {{}}) }}
"""


@dataclass(frozen=True)
class Workplace:
    """`scripts` are the bytes by name of all that Prisma is to see: what is applied, and what is to be applied."""

    folder: Path
    layout: Layout
    scripts: Mapping[str, bytes] = field(repr=False)
    marker: str = field(default_factory=lambda: f"zz_gonogo_{secrets.token_hex(6)}")
    """The name of a migration that only this copy has: where Prisma lists it, Prisma reads this copy."""

    @property
    def migrations(self) -> Path:
        """The folder of the copied scripts: beside the copied schema, if there is no config that could name it."""
        source = self.layout.schema
        if self.layout.config is None and source is not None and source.is_dir() and (file := datasource_file(source)):
            return self.folder / "schema" / file.parent.relative_to(source) / "migrations"
        return self.folder / "migrations"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What leads Prisma here."""
        if self.layout.config is not None:
            return ("--config", str(self.folder / "prisma.config.ts"))
        source = self.layout.schema
        name = "schema" if source is not None and source.is_dir() else "schema.prisma"
        return ("--schema", str(self.folder / name))

    def astray(self, config: str, schema: str) -> str:
        """What Prisma has read instead of this copy, by the paths that it shows; empty if it has not.

        They are seen from where it runs, which is not always known: what leads upwards is left out.
        """
        flag, path = self.arguments
        read = config if flag == "--config" else schema
        parts = [part for part in Path(read).parts if part != ".."]
        here = self.folder.name in parts and list(Path(path).parts[-len(parts) :]) == parts
        return "" if here or not read else read

    def make(self) -> None:
        """Write everything, the marker too, and take the right to write away. Raises Unavailable."""
        try:
            self.remove()
            self.folder.mkdir(mode=0o700, parents=True)
            self._lead()
            self.migrations.mkdir(parents=True)
            (self.migrations / LOCK_FILE).write_text(f'provider = "{PROVIDER}"\n')
            for name, data in {**self.scripts, self.marker: b"-- Only asked about, never run.\n"}.items():
                (self.migrations / name).mkdir()
                (self.migrations / name / SCRIPT).write_bytes(data)
            _writable(self.folder, False)
        except OSError as error:
            raise Unavailable(f"The scripts cannot be copied to {self.folder}: {error.strerror}.") from None

    def _lead(self) -> None:
        config, schema = self.layout.config, self.layout.schema
        if config is not None:
            values = {"config": config, "folder": config.parent, "schema": schema, "migrations": self.migrations}
            words = {name: json.dumps(str(value) if value else None) for name, value in values.items()}
            (self.folder / "prisma.config.ts").write_text(CONFIG.format(**words))
        elif schema is not None and schema.is_dir():
            for file in sorted(schema.rglob("*.prisma")):
                copy = self.folder / "schema" / file.relative_to(schema)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
        elif schema is not None:
            shutil.copyfile(schema, self.folder / "schema.prisma")

    def unmark(self) -> None:
        """Take the marker away, before anything is run. Raises Unavailable."""
        try:
            _writable(self.folder, True)
            shutil.rmtree(self.migrations / self.marker)
            _writable(self.folder, False)
        except OSError as error:
            raise Unavailable(f"{self.migrations} cannot be changed: {error.strerror}.") from None

    def changed(self) -> tuple[str, ...]:
        """What is no longer as it was copied, by name, in order; what was added, too."""
        found = {path.parent.name for path in self.migrations.glob(f"*/{SCRIPT}")}
        return tuple(sorted(n for n in found | set(self.scripts) if self._read(n) != self.scripts.get(n)))

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.migrations / name / SCRIPT).read_bytes()
        except OSError:
            return None

    def remove(self) -> None:
        """Take it away again."""
        remove_copy(self.folder)


def remove_copy(folder: Path) -> None:
    """Take a copy away, as far as there is one: a schema may hold a password."""
    if folder.exists():
        _writable(folder, True)
        shutil.rmtree(folder)


def _writable(top: Path, yes: bool) -> None:
    for folder, _, files in os.walk(top):
        Path(folder).chmod(0o700 if yes else 0o500)
        for name in files:
            (Path(folder) / name).chmod(0o600 if yes else 0o400)
