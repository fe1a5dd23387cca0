"""Tests of the explorer: its sources, and the built page in a real browser."""
