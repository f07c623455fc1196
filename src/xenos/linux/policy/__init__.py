"""What a guest may do: the user's terms, kept at the guest's own system calls, and by the host's kernel where it can."""
