"""What is sensitive and how hard a request is: pure functions over its text."""
