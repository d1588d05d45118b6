"""Names of the original's private client that scripts used; the client itself does not exist."""
