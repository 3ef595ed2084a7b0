"""The reference queue on PostgreSQL; everything here needs psycopg, so nothing outside imports it at the top."""
