"""What all tests share. Fixtures that need more than a few lines are in fix_*.py."""

import sys
from pathlib import Path

# This checkout, whatever is installed; and the fix_* modules beside this file.
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

pytest_plugins = sorted(path.stem for path in Path(__file__).parent.glob("fix_*.py"))
