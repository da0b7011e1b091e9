"""What every component of Kubernetes shares: errors, field errors, quantities, selectors, object metadata, names.

Nothing here knows the API server, the store or a controller.
"""
