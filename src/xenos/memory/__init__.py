"""Where the loads and stores of a guest land: guest addresses, the regions mapped there, and safe access to them."""
