"""What only reproduces the article: its Tables 4, 8 and 9."""
