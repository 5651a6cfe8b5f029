"""Weights that saccade finds by itself: NETWORK-TAG.safetensors, its SHA-256 beside it."""
