"""The engines against the reference: operations, instructions in every place, blocks in lockstep, faults, interrupts."""
