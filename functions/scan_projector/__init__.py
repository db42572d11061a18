"""The Scans stream's second reader: archive, read models, diversion evidence."""
