"""Where units are and how long they need: fixes, road times, conditions in force."""
