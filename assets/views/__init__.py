"""Short views: validate a form, one call, render. `request.htmx` renders the partial."""
