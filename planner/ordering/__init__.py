"""Rollout orders: strategies, constraints, and orders with a proof of how good they are."""
