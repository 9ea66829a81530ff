"""What the emulator holds: projects, tasks, files, histories, people who label; no routes."""
