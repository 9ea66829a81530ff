"""Who counts the calls of a quota: a process alone, all processes of a machine, or several machines by a Redis."""
