"""Diversion: goods shipped to one territory that turn up in another. Pure rules, used by the projector."""
