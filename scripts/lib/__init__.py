"""What several scripts need, one folder per domain."""
