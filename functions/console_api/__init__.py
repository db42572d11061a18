"""The operators' JSON API (Chalice, REST API with exact routes)."""
