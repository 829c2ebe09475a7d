"""Layers' representations, and Gromov-Wasserstein and other distances between them."""
