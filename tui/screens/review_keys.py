"""The keys of the review."""

from textual.binding import Binding, BindingType

from tui.screens.base import BACK


def _key(key: str, action: str, words: str, name: str, tooltip: str, *, priority: bool = False) -> Binding:
    return Binding(key, action, words, id=f"review.{name}", tooltip=tooltip, priority=priority)


BINDINGS: list[BindingType] = [
    _key("m", "mark", "Mark reviewed", "mark", "Once the end of the script was seen"),
    _key("M", "comment", "Mark, and comment", "comment", "The same, with a comment for the record"),
    _key("f", "finding(1)", "Finding", "finding", "The next finding, in whatever script it is"),
    _key("F", "finding(-1)", "Finding before", "finding_before", "The finding before, in whatever script it is"),
    _key("s", "statement(1)", "Statement", "statement", "The next statement of the script"),
    _key("S", "statement(-1)", "Statement before", "statement_before", "The statement before"),
    _key("right", "script(1)", "Next script", "next", "The next script", priority=True),
    _key("left", "script(-1)", "Script before", "before", "The script before", priority=True),
    _key("c", "copy_safer", "Copy the safer SQL", "copy_safer", "Copy the safer form of what is stood on"),
    _key("C", "copy_statement", "Copy the statement", "copy_statement", "Copy the statement as it stands in the file"),
    _key("slash", "search", "Search", "search", "Search the script for words, whatever their case"),
    _key("n", "found(1)", "Next match", "found", "The next place that was searched for"),
    _key("N", "found(-1)", "Match before", "found_before", "The place before that was searched for"),
    _key("v", "formatted", "Formatted", "formatted", "The statement laid out for reading, or the file as it is"),
    _key("a", "allowed", "Allowed", "allowed", "All that the scripts allow themselves, and why"),
    _key("1", "pane('scripts')", "Scripts", "scripts", "Go to the scripts, their statements and findings"),
    _key("2", "pane('sql')", "SQL", "sql", "Go to the script"),
    _key("3", "pane('statement')", "Statement", "detail", "Go to what is known of the statement"),
    _key("tab", "next_pane", "Next pane", "next_pane", "Go on to the next pane"),
    BACK,
]
