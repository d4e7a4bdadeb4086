"""Other pickers, for comparison."""
