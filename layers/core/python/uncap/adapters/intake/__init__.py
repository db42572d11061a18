"""Readers of uploaded files: CSV, Parquet and EPCIS, packed or plain, in constant memory, from any saved place."""
