"""Tasks are selected and changed, one by one."""
