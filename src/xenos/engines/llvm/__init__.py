"""From operations to LLVM's text IR, and from that to machine code. Only builders and workers import llvmlite."""
