"""The demo's chapters after the market: each plays a story on the running stack and returns its rows of the table."""
