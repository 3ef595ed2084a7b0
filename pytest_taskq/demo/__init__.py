"""What ``taskq demo`` shows: six patterns of work with the queue, and a race that is caught, mended and run again."""
