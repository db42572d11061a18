"""EPCIS 2.0 documents in JSON: reading, judging, and the hash that tells events apart (docs/adr/0009-epcis.md).

Pure: bytes and values in, values out. The command line uses it, and whoever captures events.
"""
