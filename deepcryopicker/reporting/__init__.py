"""The page of ``report``: from run folders to one HTML file."""
