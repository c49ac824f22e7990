"""The HTTP edge: data plane, admin plane and documentation."""
