"""The records that a claim rests on, as text."""

from runbooks.report.parts import Refs

SHOWN = 5


def refs_text(refs: Refs) -> str:
    """`[#3]`, `[#3 #7 …]`, `[#3 to #9]`."""
    return f"[{' '.join(piece if seq is None else f'#{seq}' for seq, piece in pieces(refs))}]"


def pieces(refs: Refs) -> list[tuple[int | None, str]]:
    """What stands between the brackets: record numbers, and words that are none."""
    if refs.run:
        first, last = refs.seqs[0], refs.seqs[-1]
        return [(first, "")] if first == last else [(first, ""), (None, "to"), (last, "")]
    rest: list[tuple[int | None, str]] = [(None, "…")] if len(refs.seqs) > SHOWN else []
    return [*((seq, "") for seq in refs.seqs[:SHOWN]), *rest]
