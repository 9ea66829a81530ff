"""Waits for people, imports and jobs: what can be waited for, what an answer means, and when a wait is over."""
