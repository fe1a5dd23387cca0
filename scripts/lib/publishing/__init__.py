"""From finished maps to GitHub, Hugging Face and static sites."""
