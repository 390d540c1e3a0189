"""The commands, a module for what belongs together. `tui.cli` imports each when it is called for."""
