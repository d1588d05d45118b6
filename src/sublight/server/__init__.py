"""The server: ``api`` translates HTTP, ``services`` hold the verbs, ``reconcilers`` are the loops that decide and act."""
