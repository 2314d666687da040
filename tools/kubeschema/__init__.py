"""The Python behind tools/schema: what the API server knows about the kinds that the operator handles."""
