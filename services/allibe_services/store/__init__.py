"""The store holds the truth: rooms, members and each room's log.

base        the interface, with what it promises
database    what runs the SQL: transactions, time limits, errors translated once
sqlite      SQLite as a database: threads, files, locks
tables      the schema, as SQLAlchemy tables
log, rooms, members
            the SQL, as functions of a connection, one source for SQLite and PostgreSQL
batch       an append worked out in memory: offsets and duplicates
sql         the implementation: those functions run in the database
migrate     bring a database's tables up to date (Alembic, in migrations)
"""
