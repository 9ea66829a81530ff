"""Exports around the writers: pictures fetched or kept, a staging folder, and publishing whole or not at all."""
