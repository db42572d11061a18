"""The handlers other teams write: what uncap's are measured against."""
