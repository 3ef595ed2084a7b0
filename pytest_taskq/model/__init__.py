"""A pure executable specification of the queue, and the programs that compare code with it."""
