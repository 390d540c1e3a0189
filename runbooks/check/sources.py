"""The scripts that a check is about: a migrations folder, several, or scripts by themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrations.folder import LOCK_FILE, SCRIPT, Migration, read_migration
from migrations.naming import order_key
from migrations.problem import Misuse

USUAL = Path("prisma", "migrations")
NAMED_BY_PATH = "Name the migrations folder or some .sql files: gonogo check PATH"


@dataclass(frozen=True, slots=True)
class File:
    """One script, whether it is there or not. `folder`: the migrations folder that it is in, None for one by itself."""

    migration: Migration
    path: Path
    folder: Path | None = None

    @property
    def name(self) -> str:
        """The migration's name, or the file's."""
        return self.migration.name


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that was named. `folders` are migrations folders; `files` are in the order of their application."""

    folders: tuple[Path, ...]
    files: tuple[File, ...]


def find_sources(paths: Sequence[Path], project_folder: Path | None) -> Sources:
    """What the paths lead to; without any, the project's migrations folder. Raises Misuse."""
    try:
        if paths:
            found = [_named(path.resolve()) for path in paths]
        else:
            found = [_migrations(project_folder.resolve() if project_folder else usual(NAMED_BY_PATH))]
    except OSError as error:
        raise Misuse(
            f"{error.filename} cannot be read: {error.strerror}.", advice="Give your user the right to read it."
        ) from None
    files = {file.path: file for source in found for file in source.files}
    folders = dict.fromkeys(folder for source in found for folder in source.folders)
    return Sources(tuple(folders), tuple(files.values()))


def usual(advice: str) -> Path:
    """Prisma's usual folder, here or in a folder above. Raises Misuse with this advice if there is none."""
    here = Path.cwd()
    found = next((place / USUAL for place in (here, *here.parents) if (place / USUAL).is_dir()), None)
    if found is None:
        raise Misuse(f"There is no gonogo.toml and no {USUAL} in {here}, nor in any folder above it.", advice=advice)
    return found.resolve()


def _named(path: Path) -> Sources:
    if not path.exists():
        raise Misuse(f"There is no {path}.", advice="Name a migrations folder, one migration in it, or .sql files.")
    if not path.is_dir():
        return Sources((), (_loose(path),))
    if (path / SCRIPT).is_file():
        return Sources((), (File(read_migration(path), path / SCRIPT),))
    if _is_migrations_folder(path):
        return _migrations(path)
    scripts = sorted(path.glob("*.sql"), key=lambda file: order_key(file.name))
    if not scripts:
        raise Misuse(
            f"There is no script in {path}: no folders with a {SCRIPT}, and no .sql files.",
            advice="Name the migrations folder itself.",
        )
    return Sources((), tuple(_loose(script) for script in scripts if script.is_file()))


def _loose(path: Path) -> File:
    if not path.is_file():
        raise Misuse(f"{path} is no file that can be read as a script.", advice="Name a .sql file or a folder.")
    return File(Migration(path.name, path, path.read_bytes()), path)


def _is_migrations_folder(path: Path) -> bool:
    return (path / LOCK_FILE).exists() or any(
        (entry / SCRIPT).is_file() or entry.name[:1].isdigit() for entry in subfolders(path)
    )


def _migrations(folder: Path) -> Sources:
    if not folder.is_dir():
        raise Misuse(
            f"There is no migrations folder {folder}.",
            advice="Name the right one as project.migrations in gonogo.toml.",
        )
    found = [read_migration(entry) for entry in subfolders(folder)]
    found.sort(key=lambda migration: order_key(migration.name))
    return Sources((folder,), tuple(File(m, m.path / SCRIPT, folder) for m in found))


def subfolders(folder: Path) -> Iterator[Path]:
    """The real folders in a folder, which is what Prisma looks at."""
    return (entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink())
