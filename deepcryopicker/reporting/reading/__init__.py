"""Read run folders whose files may be missing, damaged or malicious."""
