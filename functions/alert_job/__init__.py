"""Tells the people responsible what the outbox of alerts holds."""
