"""Markdown on the screen: words without marks, and never a control code."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tui.reading import reading_rows

TEXT = """\
Take the **dump** first: *before* anything, and see `lock_timeout`
on the next line.

1. Call [**the** desk](https://desk.example/1)
   at once
2. Then
   - <dba@shop.example> <!-- id=desk -->

> quoted

| | |
|---|---|
| Outcome | **GO**, code 0 |
| Waivers | `one/two` |

| Result | Check | Evidence |
|---|---|---|
| ok | Disk |  |

```sh
rm -rf "$HOME"  # **kept as it is**
```

<details><summary>result</summary>

Replace <version> and `a|b`.

</details>
"""
SHOWN = """\
Take the dump first: before anything, and see `lock_timeout` on the next line.

1. Call the desk (https://desk.example/1) at once
2. Then
   - dba@shop.example \n
│ quoted

Outcome  GO, code 0
Waivers  one/two

Result  Check · Evidence
ok      Disk

rm -rf "$HOME"  # **kept as it is**
result

Replace <version> and `a|b`."""


def shown(text: str) -> str:
    return "\n".join(f"{row.head.plain}{row.body.plain}" for row in reading_rows(text))


def test_a_text_is_shown_without_its_marks() -> None:
    assert shown(TEXT) == SHOWN


def test_what_is_stressed_is_bold_and_a_heading_stands_out() -> None:
    heading, _, said = reading_rows("# Migrate\n\nnot **now** [/foo]")
    assert str(heading.body.spans[0].style) == "bold $busy"
    assert [(s.start, s.end, s.style) for s in said.body.spans] == [(4, 7, "bold")]


def test_a_line_that_was_broken_by_hand_stays_broken() -> None:
    assert shown("- one  \n  two\n- three") == "- one\n  two\n- three"


def test_an_entity_is_no_way_around() -> None:
    assert shown("a &#27;[2J&#10;b &#8238; `&amp;`\n") == "a \ufffd[2J b \ufffd `&amp;`"


@given(st.text(alphabet=st.sampled_from("ab|`*_[]()<>&#;27\n\t -1.!~\\\x1b\u202e漢")))
def test_any_text_can_be_shown_and_does_nothing(text: str) -> None:
    for row in reading_rows(text):
        line = f"{row.head.plain}{row.body.plain}"
        assert [ch for ch in line if unicodedata.category(ch) in ("Cc", "Cf", "Cs")] == []
