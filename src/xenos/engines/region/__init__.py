"""The region engine: hot code as larger pieces that LLVM optimizes, installed among the stencils."""
