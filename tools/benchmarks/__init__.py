"""Figures beside their peer or limit; tools/bench runs them."""
