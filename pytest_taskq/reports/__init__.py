"""What the reader sees: every page and file is a view of the contract's data and of the findings."""
