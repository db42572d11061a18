"""The local stack: MiniStack, the rail simulator and the deployed template. For `make up`, demo and tests."""
