"""The demo brand on the local stack: made once by `make up`, through the same console API as any brand."""
