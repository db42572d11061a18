"""Payout rails: each module makes one way of paying keep the protocol in `domain/rails.py`."""
