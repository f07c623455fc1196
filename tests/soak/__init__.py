"""Programs with threads, run again and again until one hangs or errs: what happens once in two hundred runs."""
