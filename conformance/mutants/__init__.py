"""Does the suite bite, and does it bite only what is wrong? The suite against variations of the reference agent."""
