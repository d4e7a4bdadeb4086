"""A local server for the page of a run: pictures on demand, corrections saved, training started."""
