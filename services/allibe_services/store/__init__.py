"""The store holds the truth: rooms, members and each room's log.

base        the interface, with what it promises
database    what runs the SQL: transactions, time limits, errors translated once
sqlite      SQLite as a database: threads, files, locks
postgresql  PostgreSQL as a database: time limits; postgresql_pool, its connections;
            postgresql_errors, what its errors mean; postgresql_exclusive, for migrations
dialects    where the two are asked in other words
tables      the schema, as SQLAlchemy tables
log, rooms, members, revocations
            the SQL, as functions of a connection, one source for SQLite and PostgreSQL
log_insert  how new messages are written
batch       an append worked out in memory: offsets and duplicates
sql         the implementation: those functions run in the database
revisions   what the revision of a database means to this code
migrate     bring a database's tables up to date (Alembic, in migrations)
"""
