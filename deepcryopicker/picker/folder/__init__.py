"""What scores mean on the micrographs that are picked, estimated from these without labels."""
