"""What the runner is made of: commands once only, two boards, the feed, the clock."""
