"""Explanations of features: from Neuronpedia or a local file."""
