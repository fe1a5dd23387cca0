"""What several scripts need. A rule lists the modules its script imports among its inputs (`lib=lib(...)`)."""
