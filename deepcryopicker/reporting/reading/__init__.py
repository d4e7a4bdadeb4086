"""Read run folders without trusting them."""
