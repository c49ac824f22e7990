"""Drivers of the backends that serve models; only `adapters.registry` names a concrete one."""
