"""The engine's asserts tell what they compared, as those of a test do."""

import pytest

pytest.register_assert_rewrite("tests.matrix.engine")
