"""One module per page or family of pages; each turns a request into calls of the services and one template."""
