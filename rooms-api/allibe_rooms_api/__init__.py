"""The HTTP side: room lists, history, members, read markers, posting (DESIGN §4, HTTP).

app          mounts the API on an aiohttp application: `setup`, `create_app`
chat_page    mounts the web client beside it: `/` and the files in `page/`, which `make page` builds
call         what a handler gets: the request, who calls, and the store and bus behind it
middleware   every answer: time limit, problems, headers, observation
handlers/    one module per part of the API
permissions  who may do what in a room
sending      answers that are not taken in time
announce     events after changes
reading      path, query and body of a request, checked
paging       where the next page begins
problems     errors as `application/problem+json` (RFC 9457)
schemas      bodies of requests and responses
operations   the table of routes, with what the document says of each
openapi      the OpenAPI 3.1 document, made from operations and schemas
"""
