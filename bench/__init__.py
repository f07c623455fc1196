"""How fast: every figure that Xenos claims is printed by a script of this folder, with host, baseline and spread."""
