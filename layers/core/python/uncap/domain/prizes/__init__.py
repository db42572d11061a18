"""Laid prizes: which code of an activated release carries what, and the published proof of it."""
