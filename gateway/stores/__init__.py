"""Everything that is kept in Redis; one Lua file per operation."""
