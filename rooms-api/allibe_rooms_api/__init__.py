"""The HTTP side: room lists, history, members, read markers, posting (DESIGN §4, HTTP).

app          mounts the API on an aiohttp application: `setup`, `create_app`
call         what a handler gets: the request, who calls, and the store and bus behind it
middleware   every answer: time limit, problems, headers, observation
handlers/    one module per part of the API
permissions  who may do what in a room
announce     events after changes
reading      path, query and body of a request, checked
paging       where the next page begins
problems     errors as `application/problem+json` (RFC 9457)
schemas      bodies of requests and responses
operations   the table of routes, with what the document says of each
openapi      the OpenAPI 3.1 document, made from operations and schemas
"""
