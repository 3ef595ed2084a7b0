"""What the kit knows of PostgreSQL: where a server is, a schema of a run's own, a clock that can be moved."""
