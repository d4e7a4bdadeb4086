"""Tables and pictures of the page."""
