"""Building what is deployed, deploying it, and the quickstart."""
