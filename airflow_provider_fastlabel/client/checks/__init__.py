"""Files are checked before they are sent: kind, size, codec."""
