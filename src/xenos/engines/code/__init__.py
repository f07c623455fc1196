"""Host code as a thing: object files, the arena it runs in, and the cache on disk."""
