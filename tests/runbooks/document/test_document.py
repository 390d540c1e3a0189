"""A Markdown document becomes a Runbook, or everything that is wrong with it is said with its line."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from migrations.problem import Misuse
from runbooks.document import read_runbook
from runbooks.session.frozen import Frozen
from runbooks.settings.durations import duration
from runbooks.settings.faults import DocumentError
from runbooks.steps.base import Context, Nothing, StepKind
from runbooks.steps.parts.duration import Duration


class DumpParams(Frozen):
    format: str = "custom"
    max_age: Duration = duration("4h")
    jobs: int = 1


class Dumped(Frozen):
    path: str
    size: int


class CheckParams(Frozen):
    url: str
    status: int = 200
    pairs: dict[str, str] = Field(default={}, alias="json")
    lines: tuple[str, ...] = ()


def shows(params: DumpParams) -> str:
    if params.jobs < 1:
        raise ValueError("no jobs")
    return f"a {params.format} dump"


async def dump(context: Context, params: DumpParams) -> Dumped:
    raise NotImplementedError


async def check(context: Context, params: CheckParams) -> Nothing:
    raise NotImplementedError


KINDS: dict[str, StepKind[Any, Any]] = {
    "backup.dump": StepKind("Take a dump", "outside", DumpParams, dump, shows),
    "http.check": StepKind(
        "Call the app",
        "reads",
        CheckParams,
        check,
        effect_of=lambda p: "outside" if p.get("status") == 201 else "reads",
    ),
}

PHASES = ("Backup", "Preflight", "Migrate", "Verify", "Deploy", "Smoke")


def document(**bodies: str) -> str:
    """A whole document: `backup="…"` fills a phase, `before` and `after` stand around the six."""
    phases = "".join(f"## {name}\n{bodies.get(name.lower(), '')}\n" for name in PHASES)
    return bodies.get("before", "") + phases + bodies.get("after", "")


def faults(text: str) -> list[str]:
    """Every fault of a document, as it is shown."""
    with pytest.raises(DocumentError) as caught:
        read_runbook(text, name="shop.md", catalogue=KINDS)
    return [str(fault) for fault in caught.value.faults]


WHOLE = document(
    before="""# Shop

Read this first.

```toml runbook
name = "production"
owner = "platform"
reviewed = 2026-11-01
```

""",
    backup="""
Take the dump. *Slowly.*

<!-- for editors only -->

```toml step
id = "dump"
uses = "backup.dump"
required = true
max_age = "1h30m"
```

```sh run id="offsite" title="Copy it" timeout="10m" required
echo ${HOME} "$GONOGO_DUMP_PATH"
```

```sh
echo "only to read"
```

- [ ] The **dump** is away, see `vault` <!-- id=away evidence="where" required -->
- not an item
- [ ] Somebody <b>knows</b> [why](https://x.example/)

### When destructive

It is gone for good.

- [ ] The data is not needed
  <!-- id=unneeded -->

### What to know

- [ ] Notes are written
""",
    smoke="""
### When protected

```toml step
uses = "http.check"
url = "${env.app}/dump?name=${dump.path}"
```
""",
    after="""## Rollback

In order of preference.

### Restore from the backup
```toml option
costs = "20 min"
loses = "what was written since"
until = "deploy"
```

Slowly.

- [ ] Writers are stopped

## Troubleshooting

| when you see | do |
|---|---|
| `55P03` | Wait, *then* run `again` |
| a \\| b | both |

## Contacts

1. Ana, +1
""",
)


def test_a_whole_document() -> None:
    runbook = read_runbook(WHOLE, name="x.md", catalogue=KINDS)
    assert (runbook.name, runbook.owner, runbook.reviewed) == ("production", "platform", "2026-11-01")
    assert runbook.sha256 == hashlib.sha256(WHOLE.encode()).hexdigest()
    assert (runbook.prose, runbook.rollback) == ("Read this first.", "In order of preference.")
    assert [phase.name for phase in runbook.phases] == [name.lower() for name in PHASES]
    assert runbook.contacts == "1. Ana, +1"
    assert [(a.see, a.do) for a in runbook.troubleshooting] == [("55P03", "Wait, then run `again`"), ("a | b", "both")]


def test_steps_are_filled_in_from_the_catalogue() -> None:
    dump, offsite = read_runbook(WHOLE, catalogue=KINDS).phases[0].steps
    assert (dump.id, dump.title, dump.effect, dump.required) == ("dump", "Take a dump", "outside", True)
    assert (dump.params, dump.shows) == ({"max_age": "1h30m"}, "a custom dump")
    assert WHOLE.split("\n")[dump.line - 1] == "```toml step"
    assert (offsite.id, offsite.title, offsite.uses, offsite.effect) == ("offsite", "Copy it", "shell", "outside")
    assert offsite.params == {"script": 'echo ${HOME} "$GONOGO_DUMP_PATH"\n', "timeout": "10m"}
    assert offsite.required


def test_items_conditions_and_prose() -> None:
    backup = read_runbook(WHOLE, catalogue=KINDS).phases[0]
    assert [(i.id, i.when, i.required) for i in backup.items] == [
        ("away", None, True),
        ("somebody-b-knows-b-why-https-x-example", None, False),
        ("unneeded", "destructive", False),
        ("notes-are-written", None, False),
    ]
    assert backup.items[0].text == "The dump is away, see `vault`"
    assert backup.items[0].evidence == "where"
    assert backup.prose == (
        'Take the dump. *Slowly.*\n\n```sh\necho "only to read"\n```\n\n- not an item\n\n'
        "### When destructive\n\nIt is gone for good."
    )


def test_conditions_and_references_of_steps() -> None:
    smoke = read_runbook(WHOLE, catalogue=KINDS).phases[5]
    (step,) = smoke.steps
    assert (step.id, step.when) == ("http-check", "protected")
    assert step.shows == 'url = "${env.app}/dump?name=${dump.path}"'
    assert smoke.prose == "", "a heading over nothing but steps is not prose"


def test_the_effect_may_depend_on_the_parameters() -> None:
    text = document(smoke=call('url = "x"', "status = 201") + "\n" + call('id = "b"', 'url = "x"'))
    assert [step.effect for step in read_runbook(text, catalogue=KINDS).steps()] == ["outside", "reads"]


def test_ways_back() -> None:
    (option,) = read_runbook(WHOLE, catalogue=KINDS).options
    assert (option.id, option.title) == ("restore-from-the-backup", "Restore from the backup")
    assert (option.costs, option.loses, option.until) == ("20 min", "what was written since", "deploy")
    assert (option.prose, [item.id for item in option.items]) == ("Slowly.", ["writers-are-stopped"])


def step(*lines: str) -> str:
    """A step block that uses backup.dump; its own lines start at the third."""
    return "\n".join(["```toml step", 'uses = "backup.dump"', *lines, "```"])


def call(*lines: str) -> str:
    """A step block that uses http.check; its own lines start at the third."""
    return step(*lines).replace("backup.dump", "http.check", 1)


BACKUP_FAULTS = [
    (step('max_agee = "1h"'), "line 4: unknown key `max_agee`; expected `max_age`"),
    (step('jobs = "two"'), "line 4: `jobs` is not right: input should be a valid integer"),
    (step("jobs = true"), "line 4: `jobs` is not right: input should be a valid integer"),
    (step('max_age = "soon"'), "line 4: `max_age` is not right: 'soon' is not a length of time"),
    (step("jobs = 1.5"), "line 4: `jobs` holds a number with a fraction"),
    (step("jobs = 9007199254740993"), "line 4: `jobs` holds a number over 2^53"),
    (step("jobs = 0"), "line 2: the parameters cannot be shown: no jobs"),
    (step("format = 2026-01-01"), "line 4: `format` holds a date"),
    (step('required = "yes"'), "line 4: `required` is neither true nor false"),
    (step('when = "protected"'), "line 4: `when` is no key; expected the step under a heading `### When"),
    (step('id = "Dump"'), "line 4: `Dump` cannot be an id"),
    (step('id = "approvals"'), "line 4: the id `approvals` is taken"),
    (step('id = "env"'), "line 4: the id `env` is taken"),
    (step('id = "opening"'), "line 4: the id `opening` is taken"),
    (step("title = 1"), "line 4: `title` is not a text"),
    (step('uses = "x"'), "line 4: this is not TOML: cannot overwrite a value"),
    (step("format = "), "line 4: this is not TOML: invalid value"),
    (step("jobs = " + "[" * 5000), "line 3: this is not TOML: nested too deeply"),
    (step().replace("dump", "dmp"), "line 3: unknown step `backup.dmp`; expected `backup.dump`"),
    (step().replace("uses", "use"), "line 2: this step does not say what it uses; expected `uses = "),
    (step().replace("backup.dump", "shell"), "line 3: `shell` is no built-in step"),
    (step().removesuffix("```"), "line 2: this `toml step` block is never closed"),
    (step().replace("step", "setp"), "line 2: unknown block `toml setp`; expected `toml step`"),
    (step().replace("toml step", "toml step now"), "line 2: `now` cannot stand here"),
    (step().replace("toml step", "step"), "line 2: a block `step` is reading matter; expected `toml step`"),
    (call(), "line 2: `url` is missing; expected `url = …`"),
    (call('url = "x"', 'body = "y"', "json = { a = 1 }"), "line 6: `json.a` is not right: input should be a valid str"),
    (call('url = "${dump.path}"'), "line 4: `${dump.path}` names no earlier step `dump`"),
    (call('url = "${dump}"'), "line 4: `${dump}` is not understood; expected `${step.key}`"),
    (call('url = "x"', 'status = "${env.n}"'), "line 5: `status` takes no `${…}`, since it is not a text"),
    (
        step('id = "dump"') + "\n" + call('url = "${dump.pth}"'),
        "line 8: `${dump.pth}` names no result of `dump`; expect",
    ),
    (
        "### When protected\n" + step() + "\n### Then\n" + call('url = "${backup-dump.path}"'),
        "line 9: `${backup-dump.path}` names a step that runs only under `When protected`",
    ),
    ("```toml option\n```", "line 2: a `toml option` block cannot stand here"),
    ("```bash run\nls\n```", "line 2: `bash run` is no block; expected `sh run`"),
    ("```sh rnu\nls\n```", "line 2: unknown block `sh rnu`; expected `sh run`"),
    ("```sh run uses=x\nls\n```", "line 2: unknown key `uses`; expected one of: id, title, timeout, required, undo"),
    ('```sh run title="x\nls\n```', 'line 2: the first line of a run block: `title="x` is not understood'),
    ("```sh run timeout=fast\nls\n```", "line 2: the timeout `fast` cannot be read"),
    ("```sh run id=x\n```", "line 2: this run block is empty"),
    ("```sh run id=x id=y\nls\n```", "line 2: the first line of a run block: `id` stands twice"),
    ("> ```sh run\n> ls\n> ```", "line 2: a `sh run` block stands inside a quotation"),
    ('```sh run title="`ls`"\nls\n```', "line 2: this looks like a block that runs, but it is read as plain"),
    ("    ```sh run\n    ls\n    ```", "line 2: this looks like a block that runs, but it is indented"),
    ("```\nls", "line 2: this block is never closed"),
    ("- [x] done", "line 2: this item is ticked already"),
    ("- [ ]", "line 2: this item says nothing"),
    ("- [ ] a <!-- idd=x -->", "line 2: unknown key `idd`; expected `id`"),
    ("- [ ] a <!-- id=x", "line 2: the comment of this item is never closed"),
    ("- [ ] a <!-- evidence -->", "line 2: `evidence` has no value"),
    ("- [ ] a <!-- required=no -->", "line 2: `required` cannot be `no`"),
    ("- [ ] a\n- [ ] a", "line 3: the id `a` is used twice, here and in line 2"),
    ("- [ ] a\n\n```sh run id=a\nls\n```", "line 4: the id `a` is used twice, here and in line 2"),
    ("-[ ] a", "line 2: this looks like an item, but it is read as plain text"),
    ("- [] a", "line 2: this looks like an item, but it is read as plain text"),
    ("[ ] a", "line 2: this looks like an item, but it is read as plain text"),
    ("<div>\n- [ ] a\n</div>", "line 3: this looks like an item, but it stands inside HTML"),
    ("> - [ ] a", "line 2: an item stands inside a quotation"),
    ("<!-- never\n", "line 2: this comment is never closed"),
    ("### When destrutive", "line 2: unknown condition `destrutive`; expected `destructive`"),
    ("### When backfill\n- [ ] a", "line 3: `When backfill` can never hold: no step here fills in rows"),
    ("### When", "line 2: unknown condition ``; expected one of: destructive"),
    ("### If destructive", "line 2: `If destructive` is no condition; expected `### When destructive`"),
    ("### Wen destructve", "line 2: `Wen destructve` is no condition"),
]


@pytest.mark.parametrize(("body", "expected"), BACKUP_FAULTS, ids=range(len(BACKUP_FAULTS)))
def test_faults_inside_a_phase(body: str, expected: str) -> None:
    found = faults(document(backup=body))
    assert any(fault.startswith(expected) for fault in found), found


TABLE = "## Troubleshooting\n| when you see | do |\n|---|---|\n"
OPTION = "## Rollback\n### A\n```toml option\ncosts = 'x'\nloses = 'y'\n"

AROUND_FAULTS = [
    ("", "## Contacts\n- [ ] a", "line 14: this item belongs to no phase"),
    ("", "## Contacts\nhttps://ana:hunter2@wiki/x", "line 14: a password stands in an address"),
    ("", "## Contacts\n" + step(), "line 14: this step belongs to no phase"),
    ("", "## Rollback\n- [ ] a", "line 14: this item belongs to no phase; expected it under `### Name`"),
    ("", "## Rollbak\n", "line 13: unknown section `Rollbak`; expected `Rollback`"),
    ("", "## Smoke\n", "line 13: the section `Smoke` stands here a second time"),
    ("", "## Rollback\n### A\n", "line 14: the way back `A` does not say what it costs"),
    ("", OPTION.replace("'x'", "1"), "line 15: this `toml option` block is never closed"),
    ("", OPTION.replace("'x'", "1") + "```", "line 16: `costs` cannot be read; expected words in quotes"),
    ("", OPTION + "until = 'lunch'\n```", "line 18: unknown phase `lunch`; expected one of: backup"),
    ("", OPTION + "lses = 'ever'\n```", "line 18: unknown key `lses`; expected `loses`"),
    ("", OPTION + "```\n" + OPTION[12:] + "```", "line 19: the way back `a` stands twice, also in line 14"),
    ("", TABLE.replace("when you ", ""), "line 14: the columns are `see | do`"),
    ("", TABLE + "| | x |\n", "line 16: the cell `when you see` is empty"),
    ("", TABLE + "| a | b | c |\n", "line 16: this row has 3 cells"),
    ("- [ ] a\n\n", "", "line 1: this item belongs to no phase"),
    ("# A\n# B\n", "", "line 2: `# B` is a second title"),
    ('```toml runbook\nreviewed = "soon"\n```\n', "", "line 2: `reviewed` cannot be read; expected a date"),
    ('```toml runbook\nownr = "x"\n```\n', "", "line 2: unknown key `ownr`; expected `owner`"),
    ("```toml runbook\n```\n" * 2, "", "line 3: a second `toml runbook` block; expected one, as in line 1"),
]


@pytest.mark.parametrize(("before", "after", "expected"), AROUND_FAULTS, ids=range(len(AROUND_FAULTS)))
def test_faults_around_the_phases(before: str, after: str, expected: str) -> None:
    found = faults(document(before=before, after=after))
    assert any(fault.startswith(expected) for fault in found), found


def test_a_fault_is_not_told_twice() -> None:
    assert len(faults(document(after="## Rollbak\n"))) == 1
    assert len(faults(document().replace("## Smoke", "## Smok"))) == 1
    assert len(faults(document(backup='```toml step\nuses = "backup.dmp"\nid = "x"\n```'))) == 1


def test_missing_phases_and_wrong_order() -> None:
    assert faults("# Only a title\n") == [
        f"line 1: the phase {name} is missing; expected `## {name}`" for name in sorted(PHASES)
    ]
    swapped = (
        document().replace("## Backup", "## X").replace("## Preflight", "## Backup").replace("## X", "## Preflight")
    )
    (fault,) = faults(swapped)
    assert fault.startswith("line 3: `Backup` stands after `Preflight`; expected the order Backup, Preflight, Mig")


def test_all_faults_are_told_together() -> None:
    text = document(backup="- [x] a\n", migrate='```toml step\nuses = "no"\n```', after="## Contcts\n")
    with pytest.raises(DocumentError) as caught:
        read_runbook(text, name="shop.md", catalogue=KINDS)
    assert [fault.line for fault in caught.value.faults] == [2, 8, 16]
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith("shop.md has 3 errors:\n  line 2: ")


def test_windows_line_ends_and_bom(tmp_path: Path) -> None:
    path = tmp_path / "shop.md"
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    runbook = read_runbook(path, catalogue=KINDS)
    plain = read_runbook(WHOLE, catalogue=KINDS)
    assert runbook.model_copy(update={"sha256": plain.sha256}) == plain
    assert runbook.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_files_that_are_no_documents(tmp_path: Path) -> None:
    path = tmp_path / "shop.md"
    with pytest.raises(Misuse, match="There is no runbook"):
        read_runbook(path, catalogue=KINDS)
    with pytest.raises(Misuse, match="cannot be read"):
        read_runbook(tmp_path, catalogue=KINDS)
    broken = {b"": "it is empty", b"# A\n\n\xff": "line 3: a byte here is not UTF-8", b"a" * 256_001: "larger"}
    for data, words in broken.items():
        path.write_bytes(data)
        with pytest.raises(DocumentError, match=words) as caught:
            read_runbook(path, catalogue=KINDS)
        assert "shop.md" in str(caught.value)


def test_quoted_headings_are_prose_and_spaces_do_not_matter() -> None:
    body = "> ## Smoke\n>\n> as in the guide\n\n```sh \t run  id=x\nls\n```\n"
    backup = read_runbook(document(backup=body), catalogue=KINDS).phases[0]
    assert backup.prose.startswith("> ## Smoke")
    assert [step.id for step in backup.steps] == ["x"]


def test_the_last_line_needs_no_end() -> None:
    assert read_runbook(document(after="## Contacts\nAna"), catalogue=KINDS).contacts == "Ana"


def test_untagged_blocks_are_reading_matter() -> None:
    body = "~~~markdown\n```sh run\nrm -rf /\n```\n- [ ] x\n~~~\n\n```toml\nuses = 1\n```\n\n```\nls\n```\n"
    backup = read_runbook(document(backup=body), catalogue=KINDS).phases[0]
    assert (backup.steps, backup.items) == ((), ())
    assert "rm -rf" in backup.prose


def test_blocks_and_items_inside_lists_count() -> None:
    body = "1. Stop it:\n\n   ```sh run id=stop\n   systemctl stop app\n   ```\n\n   - [ ] It has stopped\n"
    backup = read_runbook(document(backup=body), catalogue=KINDS).phases[0]
    assert backup.steps[0].params["script"] == "systemctl stop app\n"
    assert [item.id for item in backup.items] == ["it-has-stopped"]


def test_default_ids() -> None:
    body = "- [ ] Größe geprüft\n- [ ] 3 tables are there\n- [ ] 準備完了\n\n```sh run\n# first\nrclone copy a b\n```\n"
    backup = read_runbook(document(backup=body), catalogue=KINDS).phases[0]
    assert [item.id for item in backup.items] == ["grosse-gepruft", "tables-are-there", "id-d888e7c7"]
    assert (backup.steps[0].id, backup.steps[0].title) == ("rclone-copy-a-b", "rclone copy a b")


HEADINGS = [f"## {name}\n" for name in (*PHASES, "Rollback", "Troubleshooting", "Contacts", "Smok")]
FENCES = ["```toml step\n", "```toml option\n", "```toml runbook\n", "```sh run id=a\n", "```\n", "~~~\n", "```"]
TOML = ['uses = "http.check"\n', 'url = "${a.b}"\n', 'id = "a"\n', "costs = 1\n", "x = [[[{\n", "= = =\n"]
MARKS = ["# T\n", "### When destructive\n", "### Option\n", "- [ ] item\n", "[x]", "<!-- id=a -->", "<!--", "-->"]
TABLES = ["| when you see | do |\n|---|---|\n", "| a | b |\n", "|", "\\|"]
SPACES = ["\n", "> ", "- ", "  ", "    ", "\t", "\r\n", "\r", "\0", "\u2028", "\x0b"]
ODD = ["[l](<\\u>)", "[a]: b\n", "<div>", "\ud800", "`", "**", "&amp;", "![i](x)"]
MARKDOWN = st.lists(st.sampled_from(HEADINGS + FENCES + TOML + MARKS + TABLES + SPACES + ODD), max_size=40)


@given(
    st.one_of(st.text(), MARKDOWN.map("".join), MARKDOWN.map(lambda p: document(backup="".join(p), after="".join(p))))
)
def test_any_text_is_a_runbook_or_a_document_error(text: str) -> None:
    try:
        runbook = read_runbook(text, catalogue=KINDS)
    except DocumentError as error:
        assert all(1 <= fault.line <= text.count("\n") + text.count("\r") + 1 for fault in error.faults)
    else:
        ids = [step.id for step in runbook.steps()] + [i.id for s in runbook.sections() for i in s.items]
        assert len(ids) == len(set(ids))
        assert type(runbook).model_validate_json(runbook.model_dump_json()) == runbook


@given(st.binary(max_size=200))
def test_any_bytes_are_a_runbook_or_a_document_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_bytes(data)
    with pytest.raises(DocumentError):
        read_runbook(path, catalogue=KINDS)
