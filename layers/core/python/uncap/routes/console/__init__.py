"""The operators' JSON API: endpoints per area, one table of them, and their mounting on Chalice."""
