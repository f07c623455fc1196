"""A guest CPU: its state block, the layout of it, and the reasons for which it stops."""
