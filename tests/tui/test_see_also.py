"""`f` reads the documents that the runbook points to, as the session keeps them."""

import hashlib
from pathlib import Path

from runbooks.session import events as e
from runbooks.session.runbook import Document
from tests.tui import recorded as r
from tests.tui.conftest import Stage
from tui.screens.see_also import document_rows

TEXTS = {"docs/backups.md": "# Backups\n\nThey are in the [red]vault[/].\n", "docs/[/shop].md": "# Shop\n\nIt sells.\n"}
DOCUMENTS = tuple(Document(path=path, sha256=hashlib.sha256(text.encode()).hexdigest()) for path, text in TEXTS.items())


def events() -> list[e.Event]:
    book = r.runbook().model_copy(update={"documents": DOCUMENTS})
    return [r.opened(runbook=book), *r.to_preflight()[1:]]


def keep(folder: Path) -> None:
    (folder / "documents").mkdir()
    for one, text in zip(DOCUMENTS, TEXTS.values(), strict=True):
        (folder / "documents" / f"{one.sha256}.md").write_text(text)


async def test_f_reads_what_the_session_keeps(stage: Stage, tmp_path: Path) -> None:
    keep(tmp_path)
    async with stage(events()) as (app, _, pilot):
        await pilot.press("f")
        await r.settle(pilot, lambda: "They are in the [red]vault[/]." in r.screen_text(app))
        await pilot.press("down")
        await r.settle(pilot, lambda: "It sells." in r.screen_text(app))
        assert "docs/[/shop].md · as the session began" in r.screen_text(app)
        await pilot.press("escape", "i")
        await r.settle(pilot, lambda: "Troubleshooting" in r.screen_text(app))


def test_other_bytes_are_never_shown(tmp_path: Path) -> None:
    assert "does not have this document" in document_rows(tmp_path, DOCUMENTS[0])[0].body.plain
    keep(tmp_path)
    (tmp_path / "documents" / f"{DOCUMENTS[0].sha256}.md").write_text("other")
    assert "not the bytes of the record" in document_rows(tmp_path, DOCUMENTS[0])[0].body.plain
