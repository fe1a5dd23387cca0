"""What a run hands over: layer files, tables, index."""
