"""Ways to run what `semantics/` describes; all agree with the reference, none names a guest."""
