"""Files that go in: a folder or a prefix of an object store, listed and opened, and what is wrong with them."""
