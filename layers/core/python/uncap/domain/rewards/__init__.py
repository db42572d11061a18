"""Rewards: ids, the state machine, granting and the ledger's postings. Pure; driven by the services."""
