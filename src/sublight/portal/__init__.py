"""The pages in the browser: server-rendered, live by small hints, with the same figures that notebooks show."""
