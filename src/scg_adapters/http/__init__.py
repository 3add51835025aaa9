"""The REST API: a table of routes, bound to the library's verbs; it adds no rule of its own."""
