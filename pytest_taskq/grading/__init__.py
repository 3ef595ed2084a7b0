"""Grades the code under test in a pytest session: which checks run, what they found, and what the run comes to."""
