"""Routes. They translate: parse, call one service function, answer. Who may call stands in ``server/permissions``."""
