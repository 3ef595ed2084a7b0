"""The queues that are measured side by side."""
