"""The matrix of `make guests`: what people run, under Xenos and qemu side by side, compared with what it must print."""
