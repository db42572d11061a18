"""The public scan API (HTTP API, payload 2.0): page, scan, reward status."""
