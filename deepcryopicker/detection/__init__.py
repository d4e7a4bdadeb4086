"""Filters, maxima, suppression and windows that labelers and pickers share."""
