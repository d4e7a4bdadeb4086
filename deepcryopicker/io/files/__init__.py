"""Files of any kind: text, CSV and YAML tables, atomic writing, checks of untrusted files."""
