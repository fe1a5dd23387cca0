"""SAE weights: from the Hugging Face Hub or a local file."""
