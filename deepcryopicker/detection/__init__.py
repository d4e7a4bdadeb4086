"""Filters, maxima, suppression and windows shared by labelers and pickers."""
