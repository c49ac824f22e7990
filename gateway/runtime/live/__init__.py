"""The policy while a gateway runs: tried, brought into force, followed, rolled back, dry-run."""
