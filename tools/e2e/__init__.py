"""End-to-end tests on real clusters; tools/test --e2e runs them."""
