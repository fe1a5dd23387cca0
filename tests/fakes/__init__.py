"""Stand-ins for the remote services, on loopback: they behave as the real ones do, and fail as they do."""
