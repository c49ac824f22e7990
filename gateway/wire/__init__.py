"""Message formats as pure codecs; formats do not know each other."""
