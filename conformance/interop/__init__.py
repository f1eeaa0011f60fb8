"""`icetcp interop`: stack against stack over ICE-TCP alone, and, where they do not connect, whose fault it is."""
