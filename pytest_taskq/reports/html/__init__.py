"""``report.html``: the report as one page for a person, made of the values of ``report.json`` and nothing else."""
