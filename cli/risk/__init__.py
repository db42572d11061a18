"""The risk gate measured on labelled claims (`uncap risk evaluate`, docs/risk.md)."""
