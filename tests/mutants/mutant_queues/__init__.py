"""Whole and broken queues: twins that keep the contract, and mutants that each break one clause of it."""
