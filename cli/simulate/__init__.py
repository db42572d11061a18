"""The launch simulator: what a campaign will cost, before it starts (`uncap campaign simulate`, docs/simulate.md)."""
