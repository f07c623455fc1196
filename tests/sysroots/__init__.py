"""Sysroots: what an archive may do to us, what interruptions leave, and what users see."""
