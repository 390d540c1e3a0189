"""Names that PostgreSQL allows, for hypothesis: whatever fits into 63 bytes."""

import psycopg
from hypothesis import strategies as st

TYPES = {type.name for type in psycopg.adapters.types}
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: len(name.encode()) <= 63 and not name.startswith("pg_") and name not in TYPES
)
"""Without a schema in front, what PostgreSQL itself has of a name is meant: those are left out."""
