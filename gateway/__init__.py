"""Fairlead: one endpoint for large language models, judged, routed, paid for and audited."""
