"""SQLite from below: the library that ``sqlite3`` runs on, reached through ctypes; it knows nothing of queues."""
