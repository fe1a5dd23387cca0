"""Nearest neighbours and positions: pure computation on decoder rows."""
