"""What is looked at before anything is changed: each check says what it saw, what it expected and what to do."""
