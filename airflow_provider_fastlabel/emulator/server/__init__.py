"""The HTTP server: the app with its gate, in a thread or as a process."""
