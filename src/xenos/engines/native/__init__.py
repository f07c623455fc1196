"""A small part of Python that is compiled to native code: whole numbers, memory, loops, calls."""
