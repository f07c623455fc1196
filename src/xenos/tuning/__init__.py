"""Learning from runs: which code is worth which engine."""
