"""AWS below boto3, for the scan path only: signing, keep-alive connections, credentials, retries (docs/adr/0004).

`WireClient.call` is the whole surface; the `*_wire` adapters build and read the JSON bodies. Everything off the scan
path uses boto3 and PynamoDB.
"""
