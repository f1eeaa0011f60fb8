"""An agent with planted bugs, and how many of them a campaign finds."""
