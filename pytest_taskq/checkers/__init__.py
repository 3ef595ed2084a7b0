"""Pure checkers: what was recorded goes in, what it breaks comes out. No SQL, no pytest, no I/O."""
