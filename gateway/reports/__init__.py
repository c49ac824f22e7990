"""Reports over the ledger and the audit log."""
