"""Write the document to standard output."""

import sys

from allibe_gateway.asyncapi.document import render

sys.stdout.write(render())
