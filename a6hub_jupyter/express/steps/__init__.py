"""LibreLane steps of the Express flow. Each runs its tool in a process of its own."""
