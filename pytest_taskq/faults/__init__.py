"""What is left of a queue when its process, its disk or its power fails, and how such moments are brought about."""
