"""The parts of the API. A handler's docstring is what the OpenAPI document says of it."""
