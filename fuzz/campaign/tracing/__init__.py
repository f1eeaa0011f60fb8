"""What runs inside an IUT that is written in Python."""
