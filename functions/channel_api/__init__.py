"""The channel API (HTTP API, payload 2.0): redemptions, claims, the wallet and the workspace of outlets."""
