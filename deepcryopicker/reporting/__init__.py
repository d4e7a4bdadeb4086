"""The page that ``report`` writes: from run folders to one HTML file."""
