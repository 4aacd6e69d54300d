"""Run by Alembic for each command; `store.migrate` gives the connection and its transaction."""

from alembic import context

from allibe_services.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
