"""What ``taskq demo`` shows: six patterns of work with the queue, and how a race is caught, mended and proven mended."""
