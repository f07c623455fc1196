"""Copy-and-patch: machine code for each instruction form, made once by LLVM, copied and filled in at run time."""
