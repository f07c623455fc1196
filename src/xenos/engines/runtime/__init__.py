"""The native part of running: enter and leave generated code, find the next piece, and catch what goes wrong in it."""
