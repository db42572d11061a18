"""GS1 identifiers and Digital Link URIs of any brand: parsed, checked and built by the standard. Pure.

`identifiers` holds the table's facts, `table` reads them, `values` and `contents` check one value, `elements` are
element strings, `path` knows where an identifier may stand in a link, `parsing` and `building` are the two directions.
Our own printed links keep their strict pattern in `domain/codes/links.py`; this package is not on the scan path.
"""
