"""The page of a report: its contents, and how they are written to one file."""
