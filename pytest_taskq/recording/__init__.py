"""Histories of real processes: a crew of workers on one store, each call written down before and after it is made."""
