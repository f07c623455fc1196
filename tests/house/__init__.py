"""The laws of the house: who may import whom, how large a room may be, who may name a guest."""
