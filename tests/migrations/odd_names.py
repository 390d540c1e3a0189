"""Names that PostgreSQL allows, for hypothesis: whatever fits into 63 bytes."""

from hypothesis import strategies as st

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: len(name.encode()) <= 63
)
