"""The translator: guest words to host code, written in the small part of Python that becomes native code (engines/native)."""
