"""The arrows tui → runbooks → migrations, and what each part may not know."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
FACE_MAY_IMPORT = (
    "session", "document", "report", "reading", "history.sessions", "settings.project", "faces.client",
    "faces.meanwhile",
)  # fmt: skip
NO_FACE = ("commands", "checked")
PRINTED = ("cli.py", "printed.py")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.soak
@pytest.mark.parametrize(
    ("package", "forbidden"),
    [("migrations", ("runbooks", "tui", "textual")), ("runbooks", ("tui", "textual"))],
)
def test_importing_all_of_a_package_brings_nothing_from_above(package: str, forbidden: tuple[str, ...]) -> None:
    names = [
        ".".join(p.relative_to(TOP).with_suffix("").parts)
        for p in sorted((TOP / package).rglob("*.py"))
        if p.name not in ("__init__.py", "watchdog.py") and "files" not in p.parts
    ]
    code = f"import sys, importlib\nfor n in {names!r}: importlib.import_module(n)\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=TOP)
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert not loaded & set(forbidden)


def test_screens_know_only_the_face_side_of_a_session() -> None:
    for path in sorted((TOP / "tui").rglob("*.py")):
        if path.name in PRINTED or path.parent.name in NO_FACE:
            continue
        for name in imported(path):
            assert not name.startswith("migrations"), f"{path.name} imports {name}"
            if name.startswith("runbooks."):
                assert _may_be_seen(name.removeprefix("runbooks.")), f"{path.name} imports {name}"


def _may_be_seen(name: str) -> bool:
    """Whether a face may import it: one of those modules, what is in them, or the package around one."""
    return any(f"{name}.".startswith(f"{known}.") or known.startswith(f"{name}.") for known in FACE_MAY_IMPORT)


def test_programs_are_started_in_one_place() -> None:
    starters = {"Popen(", "subprocess.run(", "create_subprocess_exec(", "os.system(", "os.execve(", "pty.spawn("}
    # The demo has an app server of its own; what is asked at once needs no watchdog; a pack's verifier runs alone.
    allowed = {TOP / "migrations" / "process", TOP / "migrations" / "asking.py", TOP / "runbooks" / "demo"}
    allowed |= {TOP / "runbooks" / "pack" / "verify.py"}
    for package in ("migrations", "runbooks", "tui"):
        for path in (TOP / package).rglob("*.py"):
            text = path.read_text()
            used = {s for s in starters if s in text}
            where = path.parent if path.parent in allowed else path
            assert not used or where in allowed, f"{path} starts programs: {used}"


def test_what_has_no_screen_starts_without_textual() -> None:
    names = ["tui.cli", *(f"tui.commands.{path.stem}" for path in (TOP / "tui" / "commands").glob("[a-z]*.py"))]
    code = f"import sys, {', '.join(names)}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=TOP)
    assert not {"textual", "rich"} & set(run.stdout.split())
