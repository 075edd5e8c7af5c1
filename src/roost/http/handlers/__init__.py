"""One short module per resource: a request decoded and upgraded, a use case called, a reply shown."""
