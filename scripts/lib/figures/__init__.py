"""Figures: one style for all pages, and the names on them."""
