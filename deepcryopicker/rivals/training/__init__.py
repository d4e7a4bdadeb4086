"""What training the re-implemented pickers has in common."""
