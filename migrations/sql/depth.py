"""How deep a statement nests, told before it is parsed: a chain of operators without an end ends the process."""

from collections.abc import Iterable

from postgast import pg_query_pb2 as pb

DEEPEST = 1000
"""Levels that the stack of any thread can hold (390 bytes each, measured); the tree's reader gives up at a tenth."""

_OPERATORS = b"-+*/%^<>=|&!#~?@:`([\\"
_WORDS = b"union except intersect join not is in like similar between collate at operator case".split()

_OPEN = frozenset({pb.ASCII_40, pb.ASCII_91, pb.CASE})
_CLOSE = frozenset({pb.ASCII_41, pb.ASCII_93, pb.END_P})
_APART = frozenset({pb.ASCII_44, pb.ASCII_59, pb.AND, pb.OR, pb.WHEN, pb.THEN, pb.ELSE})
_JOINS = frozenset({pb.UNION, pb.EXCEPT, pb.INTERSECT, pb.JOIN})
_LINKS = frozenset(
    {
        *(pb.ASCII_37, pb.ASCII_42, pb.ASCII_43, pb.ASCII_45, pb.ASCII_47, pb.ASCII_58, pb.ASCII_60, pb.ASCII_61),
        *(pb.ASCII_62, pb.ASCII_63, pb.ASCII_92, pb.ASCII_94, pb.Op, pb.TYPECAST, pb.LESS_EQUALS, pb.GREATER_EQUALS),
        *(pb.NOT_EQUALS, pb.EQUALS_GREATER, pb.COLON_EQUALS, pb.NOT, pb.IS, pb.ISNULL, pb.NOTNULL, pb.IN_P),
        *(pb.LIKE, pb.ILIKE, pb.SIMILAR, pb.BETWEEN, pb.COLLATE, pb.AT, pb.OPERATOR),
    }
)


def certainly_shallow(text: str) -> bool:
    """Whether there is too little in a text for it to nest deeply, wherever it stands. Cheap."""
    data = text.encode("utf-8", errors="replace")
    operators = len(data) - len(data.translate(None, _OPERATORS))
    lowered = data.lower()
    return operators + sum(lowered.count(word) for word in _WORDS) <= DEEPEST


def depth_of(tokens: Iterable[pb.ScanToken]) -> int:
    """No less than the depth of the tree that these tokens make, in levels; rarely more than twice as much."""
    deepest = 0
    around = 0  # levels of everything that is open around the innermost bracket
    chain = joins = 0  # of the innermost bracket: operators since the last comma; joins since it opened
    stack: list[tuple[int, int, int]] = []
    for token in tokens:
        kind = token.token
        if kind in _LINKS:
            chain += 1
        elif kind in _JOINS:
            joins += 1
        elif kind in _APART:
            chain = 0
        elif kind in _OPEN:
            stack.append((around, chain, joins))
            around, chain, joins = around + chain + joins + 1, 0, 0
        elif kind in _CLOSE and stack:
            around, chain, joins = stack.pop()
        deepest = max(deepest, around + chain + joins)
    return deepest
