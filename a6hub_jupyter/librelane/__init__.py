"""All that we know of LibreLane. Importing this loads none of it."""
