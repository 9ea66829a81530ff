"""The routes of the API and of the control plane, one module per resource."""
