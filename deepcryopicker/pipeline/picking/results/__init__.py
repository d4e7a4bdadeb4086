"""The results of a picking run: files of each micrograph, calibrated scores, lists of all."""
