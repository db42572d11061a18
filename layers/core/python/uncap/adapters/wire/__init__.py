"""AWS below boto3, for the scan path and a reward's own item: signing, keep-alive, retries (docs/adr/0005).

`WireClient.call` is the whole surface; the `*_wire` adapters and `ledger_hot.py` build and read the JSON bodies.
Everything else uses boto3 and PynamoDB.
"""
