"""What only reproduces the article's figures: 3 to 8 and 10 to 17."""
