"""`uncap diversion` and `uncap territory`: labelled markets, judgement measured on them, backtests, evidence packs."""
