"""Names of migrations, held against the project's convention."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from migrations.naming import Convention
from runbooks.check import matters as m
from runbooks.check.report import Remark
from runbooks.check.sources import File


def about_names(files: Sequence[File], chosen: Collection[File], wanted: Convention, now: datetime) -> Iterator[Remark]:
    """What is wrong with the names of the chosen ones among the files of a folder."""
    names = {file.name for file in chosen}
    by_name = {file.name: file for file in files}
    for file in chosen:
        if not file.name.isprintable():
            yield m.NAME.remark(file.path, "it holds control codes, or is not UTF-8")
        else:
            for fault in wanted.faults(file.name, now):
                yield m.NAME.remark(file.path, fault)
    for stamp, same in wanted.collisions(by_name).items():
        mine = [name for name in same if name in names]
        if mine:
            newest = mine[-1]
            others = ", ".join(name for name in same if name != newest)
            yield m.TWICE.remark(by_name[newest].path, f"{stamp} is the time of {others} too")
