"""Small trainings under the tricks in PyTorch, float64: what make_trajectories.py writes down.

The tricks are written from the formulas of their papers and from docs/tricks, gradients are autograd's. Whatever knack draws is recomputed
from the addresses of its random numbers (docs/trace.md).
"""
