"""Alembic runs this to carry out migrations, on the connection and in the transaction of whoever asked for them."""

from alembic import context

from archive.catalogue.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
