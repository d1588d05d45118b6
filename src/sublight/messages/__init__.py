"""What travels over HTTP, as plain frozen dataclasses: one definition for SDK, server and node.

The server's API takes and gives them as JSON (FastAPI checks them and draws the OpenAPI page from them); the SDK and
the node read them with msgspec. Times are seconds since 1970 (UTC) as floats; sizes are bytes; unknown fields in a
request are refused by name.
"""
