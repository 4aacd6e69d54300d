"""The store holds the truth: rooms, members and each room's log.

base        the interface, with what it promises
database    engines, threads and transactions; errors translated once
tables      the schema, as SQLAlchemy tables
log, rooms, members
            the SQL, as functions of a connection, one source for SQLite and PostgreSQL
sql         the implementation: those functions run in the database
migrations  Alembic
"""
