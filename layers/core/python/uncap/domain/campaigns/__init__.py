"""The campaign engine: rules as data, matched by index, decided once per claim, explained by the same function."""
