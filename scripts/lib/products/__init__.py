"""What a run hands over: layer files, tables, the manifest, and the checks they must pass."""
