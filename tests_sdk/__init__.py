"""Our client and the emulator beside the official SDK; run by ``make test-sdk``."""
