"""Read while Snakemake plans: the configuration, the catalogues, and what a script imports. Nothing heavy."""
