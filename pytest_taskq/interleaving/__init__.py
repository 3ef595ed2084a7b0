"""Two or three actors run unmodified code, one at a time; which of them runs next is chosen, and every choice tried."""
