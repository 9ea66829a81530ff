"""What ``make build`` has put into ``dist/``: that it is whole, and that it works where nothing else is."""
