"""Images are sent through a model endpoint, and the answers kept."""
