"""The pages for people: what the emulator holds, for eyes only."""
