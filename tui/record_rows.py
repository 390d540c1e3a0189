"""One record as rows: in words first, then everything that it holds."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from runbooks.reading.said import Record, Said
from tui.part_rows import heading, words_content
from tui.printable import one_line, printable
from tui.widgets.row import Row, row

INDENT = "  "
COLUMN = 14
"""Values stand from here on, but for those of longer names."""
DEVIATES = Content.styled("! ", "bold $warn")


def record_line(record: Record, said: Said, *, width: int, deviates: bool) -> Content:
    """Its number, its time, and what it says, on one line."""
    head = Content.styled(f"{record.seq:>{width}}  {record.at[11:19]}  ", "$quiet")
    return Content.assemble(head, DEVIATES if deviates else "  ", words_content(said.words(record)))


def record_rows(record: Record, said: Said, why: Sequence[str]) -> Iterator[Row]:
    """All of it. `why`: in what it was not as the runbook has it."""
    yield row("", (f"{record.at[:10]} {record.at[11:]} · {record.event.kind}", "$quiet"))
    yield Row(Content(""), words_content(said.words(record)))
    yield from (row(DEVIATES, (one_line(words), "bold $warn")) for words in why)
    yield from heading("Everything that it holds")
    yield from _value("", record.event.model_dump(mode="json", exclude={"kind"}), "")
    yield from heading("In the chain")
    yield row(f"{'hash':<6}", (record.hash, "$quiet"))
    yield row(f"{'before':<6} ", (record.prev, "$quiet"))


def _value(name: str, value: object, indent: str) -> Iterator[Row]:
    """A name and its value; what is nested stands below it, deeper; what is empty is left out."""
    label = Content.styled(f"{indent}{one_line(name):<{COLUMN - len(indent)}}  " if name else indent, "$busy")
    match value:
        case _ if value in (None, "", [], {}):
            return
        case dict():
            if name:
                yield Row(label, Content(""))
            for key, each in value.items():
                yield from _value(str(key), each, indent + INDENT if name else indent)
        case list() if all(isinstance(each, str | int) for each in value):
            yield Row(label, Content(", ".join(one_line(str(each)) for each in value)))
        case list():
            for number, each in enumerate(value, 1):
                yield from _value(f"{name} {number}", each, indent)
        case bool():
            yield Row(label, Content("yes" if value else "no"))
        case _:
            lines = printable(str(value)).replace("\t", "    ").rstrip("\n").split("\n")
            yield Row(label, Content(lines[0]))
            yield from (Row(Content(" " * label.cell_length), Content(line)) for line in lines[1:])
