"""The store on SQLite, PostgreSQL, MariaDB and MySQL. Knows the port and the tables; knows no command and no HTTP."""
